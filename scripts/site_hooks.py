"""What MkDocs does not do by itself, see mkdocs.yml: it shows notebooks as pages."""

import io
import re

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Give each notebook a page of its cells, as they stand in the repository: without outputs."""
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        content = nbformat.read(io.StringIO(notebook.content_string), as_version=4)
        text, _ = MarkdownExporter().from_notebook_node(content)
        files.remove(notebook)
        files.append(File.generated(config, _page(notebook.src_uri), content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Lead links to a notebook, which are for readers of the repository, to its page."""
    return re.sub(r"\]\(([^):]+\.ipynb)\)", lambda link: f"]({_page(link[1])})", markdown)


def _page(notebook: str) -> str:
    return notebook.removesuffix(".ipynb") + ".md"
