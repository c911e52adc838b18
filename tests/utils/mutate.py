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
  `words` and `__str__` return;
* a mutant is put in by giving its code to the function, so that the core runs as fast as ever; which test comes by
  which function the interpreter tells;
* time is that of the processor: a busy machine decides neither which tests decide, nor who has hung;
* the tests that killed a function's mutants before come first, then the quickest;
* a test that is a function of its parameters alone is called as one, in this very process. What survives those meets
  pytest and the tests that draw, in a process of its own.
"""

from __future__ import annotations

import collections
import os
import signal
import sys
import time
import typing as t
from pathlib import Path
from types import CodeType, FunctionType

import libcst as cst
import pytest
from _pytest.config import _prepareconfig
from _pytest.main import Session
from hypothesis import HealthCheck, Phase, settings
from libcst import matchers as m
from mutmut import __main__ as mutmut
from mutmut.mutation import file_mutation, mutators, trampoline
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from mutmut.workers import isolation

SECONDS = 5.0  # For each mutant, of the tests that come by it, besides those that killed before.
HANGS = 40  # Seconds of the processor after which a mutant goes round in circles.
SILENT = 1800  # Seconds by the clock after which it waits for what will not come.
KILLERS = Path.cwd() / "killers"
WORDY = ("words", "_words_", "__str__")
REFUSALS = ("Refusal", "ReadingError")
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


class Core:
    """The functions that have mutants, as they stand in the core."""

    def __init__(self) -> None:
        self._known: list[tuple[FunctionType, dict[str, t.Any]]] = []
        self._by_name: dict[str, tuple[FunctionType, dict[str, t.Any]]] | None = None

    def keep(self, mutants: dict[str, t.Any], **_more: bool) -> t.Callable[[t.Any], t.Any]:
        def kept(function: FunctionType) -> FunctionType:
            self._known.append((function, mutants))
            return function

        return kept

    def functions(self) -> t.Iterator[tuple[str, FunctionType, dict[str, t.Any]]]:
        for function, mutants in self._known:
            own = next((name for name in mutants if name != "_mutmut_orig"), "")
            if own:
                yield f"{function.__module__}.{mangled_name_from_mutant_name(own)}", function, mutants

    def put_in(self, mutant: str) -> t.Callable[[], None]:
        """Return what puts the original back."""
        own = mutant.rpartition(".")[2]
        if self._by_name is None:
            self._by_name = {name: (function, mutants) for name, function, mutants in self.functions()}
        function, mutants = self._by_name[mangled_name_from_mutant_name(mutant)]
        before = function.__code__, function.__defaults__, function.__kwdefaults__

        def back() -> None:
            function.__code__, function.__defaults__, function.__kwdefaults__ = before

        other = getattr(mutants[own], "__func__", mutants[own])
        # One in which super() has gone has a variable less than its function.
        function.__code__ = other.__code__.replace(co_freevars=before[0].co_freevars)
        function.__defaults__, function.__kwdefaults__ = other.__defaults__, other.__kwdefaults__
        return back

    def break_all(self) -> None:
        def broken(*_given: t.Any, **_named: t.Any) -> None:
            raise AssertionError

        for _, function, _ in self.functions():
            if not function.__code__.co_freevars:
                function.__code__ = broken.__code__


CORE = Core()


class Sober:
    """Few examples, and the same at each run. A mutant that fails is dead: no need for the smallest example of it."""

    def pytest_collection_finish(self) -> None:
        settings.load_profile("mutants")


class Watch:
    """Notes which test comes by which function, and how long it takes."""

    def __init__(self) -> None:
        self._names: dict[CodeType, str] = {}

    def pytest_collection_finish(self) -> None:
        watch = sys.monitoring
        watch.use_tool_id(watch.PROFILER_ID, "mutants")
        watch.register_callback(watch.PROFILER_ID, watch.events.PY_START, self._come_by)
        for name, function, _ in CORE.functions():
            self._names[function.__code__] = name
            watch.set_local_events(watch.PROFILER_ID, function.__code__, watch.events.PY_START)

    def _come_by(self, code: CodeType, _offset: int) -> t.Any:
        state()._stats.add(self._names[code])
        return sys.monitoring.DISABLE

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> t.Generator[None, t.Any, t.Any]:
        sys.monitoring.restart_events()
        before = time.process_time()
        done = yield
        state().duration_by_test[item.nodeid] = time.process_time() - before
        return done

    def pytest_sessionfinish(self) -> None:
        sys.monitoring.free_tool_id(sys.monitoring.PROFILER_ID)


class Runner(PytestRunner):
    """The tests are collected once: most mutants live shorter than a collection takes."""

    session: Session | None = None
    _plain: dict[str, t.Any] | None = None

    def execute_pytest(self, params: list[str], **more: t.Any) -> int:
        watch = [Watch()] if more else []  # mutmut's own plugin is there when it counts, and then only.
        return super().execute_pytest(params, plugins=[*more.get("plugins", ()), *watch, Sober()])

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

    def is_plain(self, name: str) -> bool:
        return self._plain is not None and name in self._plain

    def killed(self, mutant: str, tests: t.Iterable[str]) -> bool:
        """Whether one of the plain tests fails, called as it is: most mutants die of a row in a table, and pytest and a
        process of its own would take fifty times as long as that. No word of one that survives."""
        if self.session is None:
            self.collect()
        if self._plain is None:
            self._plain = {item.nodeid: item for item in t.cast(Session, self.session).items if _plain(item)}
        killers = KILLERS / mangled_name_from_mutant_name(mutant)
        names = [name for name in _in_order(sorted(tests, key=_duration), killers) if name in self._plain]
        back = CORE.put_in(mutant)
        try:
            killer = next((name for name in names if _fails(self._plain[name])), "")
        finally:
            back()
        if killer:
            # What a mutant has left behind must not kill the next one.
            assert not _fails(self._plain[killer]), f"{mutant} was put back, and {killer} still fails"
            with killers.open("a") as known:
                known.write(f"{killer}\n")
        return bool(killer)

    def run_tests(self, *, mutant_name: str | None, tests: t.Iterable[str]) -> int:
        if self.session is None:
            self.collect()
        session = t.cast(Session, self.session)
        killers = KILLERS / mangled_name_from_mutant_name(mutant_name) if mutant_name else Path(os.devnull)
        if mutant_name:
            CORE.put_in(mutant_name)
        found = {item.nodeid: item for item in session.items}
        items = [found[name] for name in _in_order(list(tests), killers) if name in found] or list(session.items)
        with change_cwd("mutants"):
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    with killers.open("a") as known:
                        known.write(f"{item.nodeid}\n")
                    return 1
        return 0


def _duration(test: str) -> float:
    return state().duration_by_test.get(test, 0.0)


def _plain(item: t.Any) -> bool:
    """Whether the test is a function of its parameters alone."""
    given = set(item.callspec.params) if hasattr(item, "callspec") else set()
    return set(item.fixturenames) <= given and item.cls is None and not hasattr(item.obj, "hypothesis")


def _fails(item: t.Any) -> bool:
    given = item.callspec.params if hasattr(item, "callspec") else {}
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        item.obj(**given)
    except (KeyboardInterrupt, pytest.skip.Exception):
        raise
    except BaseException:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return False


def _in_order(tests: list[str], killers: Path) -> list[str]:
    """Return those that killed before, the most deadly first, and then the quickest; those that are left when the time
    is over are not met."""
    deadly = collections.Counter(killers.read_text().splitlines() if killers.exists() else ())
    first = [name for name, _ in deadly.most_common() if name in tests]
    spent = 0.0
    for name in tests:
        spent += state().duration_by_test.get(name, 0.0)
        if spent > SECONDS:
            break
        if name not in deadly:
            first.append(name)
    return first


def chosen(part: int, again: bool) -> t.Callable[..., t.Any]:
    """One of so many mutants; those that survived once more."""
    whole = mutmut.collect_source_file_mutation_data

    def collect(**given: t.Any) -> t.Any:
        mutants, data = whole(**given)
        alive = [(of, name, None if again and status in (0, 33) else status) for of, name, status in mutants]
        return alive[::part], data

    return collect


def by_file(order: list[str]) -> t.Callable[[str], t.Any]:
    """The files in the order they were asked for, and in each first what is tried quickly."""
    modules = [name.removesuffix(".py").replace("/", ".") for name in order]
    whole = mutmut.estimated_worst_case_time

    def rank(mutant: str) -> tuple[int, float]:
        module = mutant.rpartition(".")[0]
        place = next((index for index, name in enumerate(modules) if module.endswith(f".{name}")), len(modules))
        return place, whole(mutant)

    return rank


def _too_long(*_given: t.Any) -> None:
    raise TimeoutError


def submitted(
    submit: t.Callable[..., None],
) -> t.Callable[[isolation.ForkRunner, str, list[str], int, float], None]:
    def limited(runner: isolation.ForkRunner, mutant: str, tests: list[str], _seconds: int, estimated: float) -> None:
        done = t.cast(Runner, runner.test_runner)
        killed = done.killed(mutant, tests)
        rest = [name for name in tests if not done.is_plain(name)]
        if killed or not rest:
            runner._no_tests_results.append(isolation.MutantResult(mutant, int(killed), 0.0))
        else:
            submit(runner, mutant, rest, HANGS, estimated)

    return limited


def forced_fail(runner: isolation.ForkRunner) -> int:
    """In a process of its own: a session that has seen a failure ends every mutant's at once."""
    child = os.fork()
    if not child:
        CORE.break_all()
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
    trampoline.wrap_in_trampoline = CORE.keep
    isolation.PytestRunner = Runner
    # The run that finds out which test comes by which function is a run without a mutant, too.
    isolation.ForkRunner.run_clean_tests = lambda _self, tests: 0
    isolation.ForkRunner.run_forced_fail = forced_fail
    isolation.ForkRunner.has_capacity = lambda self: self.pending_count() < self.max_workers
    isolation.ForkRunner.submit = submitted(isolation.ForkRunner.submit)
    wait = isolation.register_timeout
    isolation.register_timeout = lambda pid, timeout_s: wait(pid, max(timeout_s, SILENT))
    # What an earlier run has killed stays dead, whatever other tests there are now.
    mutmut._apply_config_change_invalidation = lambda _caught: False
    signal.signal(signal.SIGVTALRM, _too_long)
    KILLERS.mkdir(exist_ok=True)
    mutmut.estimated_worst_case_time = by_file(os.environ.get("MUTANTS_ORDER", "").split())
    mutmut.collect_source_file_mutation_data = chosen(
        int(os.environ.get("MUTANTS_PART", "1")), bool(os.environ.get("MUTANTS_AGAIN"))
    )
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
