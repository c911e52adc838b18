# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mutmut on a copy of the core, which `checks/mutants.py` makes, with the mutants that matter here.

mutmut knows no mutant that takes a guard out, passes over properties, and spends most of its mutants on words. Here:

* each `if`, `elif`, `while` and condition of a comprehension is taken for true, and for false; `any` and `all` change
  places; what a function returns becomes None;
* a property is looked into: the copy says `name = property(_name_)` instead of `@property`;
* of a call only named arguments are left out, and no variable becomes None: nearly all of those die of a TypeError, and
  they are more than all others together;
* words are left alone: a text with a space in it outside `_command`, the message and the evidence of a Refusal, what
  `words` and `__str__` return.
"""

from __future__ import annotations

import os
import sys
import typing as t

import libcst as cst
from _pytest.config import _prepareconfig
from _pytest.main import Session
from hypothesis import HealthCheck, Phase, settings
from libcst import matchers as m
from mutmut import __main__ as mutmut
from mutmut.mutation import file_mutation, mutators, trampoline
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd
from mutmut.workers import isolation

SECONDS = 5.0  # For each mutant, of the tests that come by it.
WORDY = ("words", "_words_", "__str__")
REFUSALS = ("Refusal", "ProbeError")
NOT_LOOKED_INTO = ("cast",)


class Unfold(cst.CSTTransformer):
    """Write each property as a method and an assignment."""

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        if any(m.matches(base.value, m.Attribute(attr=m.Name("Protocol"))) for base in original_node.bases):
            return updated_node
        body: list[t.Any] = []
        for statement in updated_node.body.body:
            if not (isinstance(statement, cst.FunctionDef) and _is_property(statement)):
                body.append(statement)
                continue
            name, hidden = statement.name.value, f"_{statement.name.value.strip('_')}_"
            body.append(statement.with_changes(name=cst.Name(hidden), decorators=[]))
            body.append(cst.parse_statement(f"{name} = property({hidden})\n"))
        return updated_node.with_changes(body=updated_node.body.with_changes(body=body))


def _is_property(function: cst.FunctionDef) -> bool:
    return len(function.decorators) == 1 and m.matches(function.decorators[0].decorator, m.Name("property"))


def conditions(node: t.Any) -> t.Iterable[cst.CSTNode]:
    for value in ("True", "False"):
        if not (isinstance(node, cst.While) and value == "True") and not m.matches(node.test, m.Name(value)):
            yield node.with_changes(test=cst.Name(value, lpar=node.test.lpar, rpar=node.test.rpar))


def returned(node: cst.Return) -> t.Iterable[cst.CSTNode]:
    if isinstance(node.value, (cst.Name, cst.Attribute, cst.Call)) and not m.matches(node.value, m.Name("None")):
        yield node.with_changes(value=cst.Name("None"), whitespace_after_return=cst.SimpleWhitespace(" "))


def quantifier(node: cst.Call) -> t.Iterable[cst.CSTNode]:
    other = {"any": "all", "all": "any", "min": "max", "max": "min"}
    if isinstance(node.func, cst.Name) and node.func.value in other:
        yield node.with_changes(func=cst.Name(other[node.func.value]))


def omitted(node: cst.Call) -> t.Iterable[cst.CSTNode]:
    for index, argument in enumerate(node.args):
        if argument.keyword is not None and _called(node) not in REFUSALS:
            yield node.with_changes(args=[*node.args[:index], *node.args[index + 1 :]])


def reason(node: cst.Call) -> t.Iterable[cst.CSTNode]:
    if _called(node) in REFUSALS and node.args:
        yield node.with_changes(args=[node.args[0].with_changes(value=cst.Name("None")), *node.args[1:]])


def _called(node: cst.Call) -> t.Any:
    return node.func.attr.value if isinstance(node.func, cst.Attribute) else getattr(node.func, "value", "")


class Visitor(file_mutation.MutationVisitor):
    """Passes over words."""

    speaks_macos = False

    def __init__(self, *given: t.Any) -> None:
        super().__init__(*given)
        self._words: set[int] = set()

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and node.name.value in WORDY:
            return True
        if isinstance(node, cst.Call) and _called(node) in REFUSALS:
            self._words |= {id(argument) for argument in node.args[1:]}
        if isinstance(node, cst.Call) and _called(node) in NOT_LOOKED_INTO or id(node) in self._words:
            return True
        return super()._skip_node_and_children(node)

    def _should_mutate_node(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.SimpleString) and " " in node.raw_value and not self.speaks_macos:
            return False
        return super()._should_mutate_node(node)


def marked(node: t.Any) -> t.Iterable[cst.CSTNode]:
    """Of the three mutants of a text the one that no comparison takes for the same."""
    yield from list(mutators.operator_string(node))[:1]


class Sober:
    """Few examples, and the same at each run. A mutant that fails is dead: no need for the smallest example of it."""

    def pytest_collection_finish(self) -> None:
        settings.load_profile("mutants")


class Runner(PytestRunner):
    """The tests are collected once: most mutants live shorter than a collection takes."""

    session: Session | None = None

    def execute_pytest(self, params: list[str], **more: t.Any) -> int:
        return super().execute_pytest(params, plugins=[*more.get("plugins", ()), Sober()])

    def run_stats(self, *, tests: t.Iterable[str]) -> int:
        failed = super().run_stats(tests=tests)
        self.collect()
        return failed

    def collect(self) -> None:
        with change_cwd("mutants"):
            arguments = ["--rootdir=.", "-p", "no:terminal", "--capture=no", *self._pytest_add_cli_args]
            config = _prepareconfig([*arguments, *self._pytest_add_cli_args_test_selection], [Sober()])
            config._do_configure()
            self.session = Session.from_config(config)
            config.hook.pytest_sessionstart(session=self.session)
            config.hook.pytest_collection(session=self.session)

    def run_tests(self, *, mutant_name: str | None, tests: t.Iterable[str]) -> int:
        if self.session is None:
            self.collect()
        session = t.cast(Session, self.session)
        found = {item.nodeid: item for item in session.items}
        items = [found[name] for name in _quickest(tests) if name in found] or list(session.items)
        with change_cwd("mutants"):
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    return 1
        return 0


def _quickest(tests: t.Iterable[str]) -> t.Iterator[str]:
    """They come in order, the quickest first; those that are left when the time is over are not met."""
    spent = 0.0
    for name in tests:
        spent += state().duration_by_test.get(name, 0.0)
        if spent > SECONDS:
            return
        yield name


def sample(part: int) -> t.Callable[..., t.Any]:
    """One of so many mutants."""
    whole = mutmut.collect_source_file_mutation_data

    def collect(**given: t.Any) -> t.Any:
        mutants, data = whole(**given)
        return mutants[::part], data

    return collect


def forced_fail(runner: isolation.ForkRunner) -> int:
    """In a process of its own: a session that has seen a failure ends every mutant's at once."""
    child = os.fork()
    if not child:
        os._exit(1 if runner.test_runner.run_tests(mutant_name=None, tests=[]) else 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    replaced = (mutators.operator_string, mutators.operator_arg_removal, mutators.operator_assignment)
    kept = [(kind, operator) for kind, operator in mutators.mutation_operators if operator not in replaced]
    file_mutation.mutation_operators = mutators.mutation_operators = [
        *kept,
        (cst.BaseString, marked),
        (cst.Call, omitted),
        (cst.Call, reason),
        *((kind, conditions) for kind in (cst.If, cst.While, cst.CompIf)),
        (cst.Return, returned),
        (cst.Call, quantifier),
    ]
    file_mutation.MutationVisitor = Visitor
    whole = file_mutation.mutate_file_contents

    def mutate(filename: str, code: str, *lines: t.Any) -> t.Any:
        Visitor.speaks_macos = "/_command/" in filename
        return whole(filename, cst.parse_module(code).visit(Unfold()).code, *lines)

    mutmut.mutate_file_contents = mutate
    # A call of each mutated function asks which mutant is on: by a variable, as the environment takes its time.
    trampoline.get_mutant_under_test = lambda: trampoline._mutant_under_test or ""
    isolation.PytestRunner = Runner
    # The run that finds out which test comes by which function is a run without a mutant, too.
    isolation.ForkRunner.run_clean_tests = lambda _self, tests: 0
    isolation.ForkRunner.run_forced_fail = forced_fail
    mutmut.collect_source_file_mutation_data = sample(int(os.environ.get("MUTANTS_PART", "1")))
    settings.register_profile(
        "mutants",
        max_examples=10,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    mutmut.cli(sys.argv[1:])


if __name__ == "__main__":
    main()
