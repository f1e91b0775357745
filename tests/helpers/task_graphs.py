"""Graphs of tasks that are never run, for plans."""

from typing import ClassVar

import luigi
from hypothesis import strategies as st

from taxi_pipeline.runtime import plan


class Node(luigi.Task):
    """A task of a graph that a test makes up."""

    name = luigi.Parameter()
    needed: ClassVar = {}
    done: ClassVar = set()

    @property
    def label(self):
        return self.name

    def requires(self):
        return [node(name) for name in self.needed[self.name]]

    def complete(self):
        return self.name in self.done

    def run(self):
        """Never called."""


class OutsideNode(Node):
    run = None


def node(name):
    return (OutsideNode if name.startswith("outside") else Node)(name=name)


@st.composite
def graphs(draw):
    """What each node needs, of those before it, and which are done; the last needs something."""
    names = []
    needed = {}
    for number in range(draw(st.integers(1, 8))):
        name = f"{draw(st.sampled_from(['node', 'outside']))} {number}."
        needed[name] = (
            draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
            if names and name.startswith("node")
            else []
        )
        names.append(name)
    return needed, draw(st.sets(st.sampled_from(names)))


def planned(graph):
    Node.needed, Node.done = graph
    return plan.plan(node(list(Node.needed)[-1]))
