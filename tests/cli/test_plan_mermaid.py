"""A plan as the text of a Mermaid diagram."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_folders import model
from task_graphs import graphs, planned

from taxi_pipeline.cli.plan_boxes import COLOURS, boxes
from taxi_pipeline.cli.plan_mermaid import as_mermaid
from taxi_pipeline.runtime import plan
from taxi_pipeline.runtime.plan import Step

NODE = re.compile(r'    n(\d+)\["(.*)"\]:::(\w+)')


@given(graphs())
@settings(max_examples=50)
def test_each_box_is_a_node_with_the_class_of_its_state_and_each_need_an_arrow(graph):
    steps = planned(graph)
    lines = as_mermaid(steps, "a plan").splitlines()
    assert lines[lines.index("flowchart TD") - 1] == "---"
    nodes = {int(found[1]): found for found in map(NODE.fullmatch, lines) if found}
    drawn = boxes(steps)
    for at, box in enumerate(drawn):
        assert nodes[at][2].split("<br/>") == [box.family, *box.lines]
        assert nodes[at][3] == box.state
    arrows = {line.strip() for line in lines if "-->" in line}
    assert arrows == {f"n{place} --> n{at}" for at, box in enumerate(drawn) for place in box.needs}


def test_each_state_has_a_class_with_its_colours():
    text = as_mermaid([Step("End", "done", "", ())], "a plan")
    for state, look in COLOURS.items():
        assert f"classDef {state} fill:{look.fill},stroke:{look.edge}," in text


def test_a_plan_of_a_model_begins_with_the_title(empty):
    lines = as_mermaid(plan.plan(model()), 'a "plan"').splitlines()
    assert lines[:2] == ["---", 'title: "a \\"plan\\""']


@given(st.text('ab"<>#&`;[]|', min_size=1, max_size=20))
def test_nothing_in_a_label_has_a_meaning_of_its_own(text):
    steps = [Step(text, "runs", "", ())]
    (found,) = filter(None, map(NODE.fullmatch, as_mermaid(steps, "a plan").splitlines()))
    label = found[2].removesuffix("<br/>runs")
    assert not set(label) & set('"<>`&')
    names = {"#35;": "#", "#amp;": "&", "#quot;": '"', "#lt;": "<", "#gt;": ">", "#96;": "`"}
    assert re.sub(r"#\w+;", lambda match: names[match[0]], label) == text
