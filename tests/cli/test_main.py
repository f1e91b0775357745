"""What a user reads when a command ends in another way than it should."""

import codecs

import pytest

from taxi_pipeline.cli import main as cli


def test_ctrl_c_is_one_line_and_130(monkeypatch, capsys):
    def interrupted(**_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.status.command, "callback", interrupted)
    assert cli.main(["status"]) == 130
    assert capsys.readouterr().err == "WARNING: SIGINT: ended; the same command begins again\n"


@pytest.mark.parametrize(
    ("text", "plain"),
    [("├─ a", "|- a"), ("│  └─ a", "|  `- a"), ("Größe", "Gr\\xf6\\xdfe"), ("東", "\\u6771")],
)
def test_where_only_ascii_is_known_lines_and_letters_have_a_stand_in(text, plain):
    codecs.register_error("taxi_pipeline.plain", cli._write_plainly)
    assert text.encode("ascii", "taxi_pipeline.plain").decode() == plain
