"""Run scenarios through the gateway's API, as a frontend would, and judge what came out."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import httpx
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from app.names import workflow_id_for
from scenarios.gateway_client import GatewayClient, json_of
from scenarios.photos import PHOTOS
from scenarios.scenario import Departure, Scenario
from scenarios.stories.acts import Acts, Start
from scenarios.stories.asking import Asking
from scenarios.stories.drawn import request_body
from scenarios.stories.expectations import unmet
from scenarios.stories.invariants import breaches
from scenarios.stories.place import API_KEY, CALLER, Place
from scenarios.stories.replay import replay
from scenarios.stories.rules_and_ledgers import RulesAndLedgers
from scenarios.stories.run import Run
from scenarios.stories.starved import TELLINGS, UNAVAILABLE, answers_again, unanswered, untrue
from scenarios.stories.timelines import LEFT, Happening, Timeline
from scenarios.stories.user import perform
from scenarios.virtual import SilenceError, VirtualTime, WaitsForEverError

AT_ONCE = 12
"""Scenarios side by side: enough to keep two cores busy."""
POLL_INTERVAL_S = 0.5
CALM_INTERVAL_S = 2.0
"""In virtual time, where wall seconds say how busy the machine is: more looks show nothing else there."""
LIMIT_S = 300.0
"""Wall seconds for one scenario; only a broken pipeline or engine reaches it."""
PATIENCE_S = 30.0
"""Wall seconds in which a deployment that is busy (503) is asked again, as a frontend does."""
ACCEPTED = 202
NOT_FOUND = 404
LOST = "LOST"
"""The status of a try-on whose start the gateway accepted, and which it does not know afterwards."""


def scenario_key(scenario: Scenario, seed: int | str, number: int | str) -> str:
    """Return the Idempotency-Key of a run, which makes its workflow id known beforehand."""
    return f"{seed}:{scenario.name}:{number}"


def _id_of(scenario: Scenario, key: str) -> str:
    return workflow_id_for(key, CALLER if scenario.guarded else None)


class Runner:
    """Runs scenarios at a place.

    Args:
        place: the virtual world, a live stack or a deployment.
        seed: part of every key, and so of every workflow id.
        replays: whether each history is replayed.
    """

    def __init__(self, place: Place, *, seed: int | str = 1, replays: bool = True) -> None:
        self._place = place
        self._seed = seed
        self._replays = replays
        self._replaying = asyncio.Semaphore(1)
        self._fakes = RulesAndLedgers(place.controls)
        self._unguarded = GatewayClient(place.gateway)
        self._guarded = GatewayClient(place.guarded, api_key=API_KEY) if place.guarded else None
        self._overtaken: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._unguarded.close()
        if self._guarded:
            await self._guarded.close()

    def _gateway(self, run: Run) -> GatewayClient:
        """Return whom the user of a run asks."""
        if not run.scenario.guarded:
            return self._unguarded
        assert self._guarded, "a gateway with keys goes with virtual time"
        return self._guarded

    async def run_all(
        self, scenarios: Iterable[Scenario], *, at_once: int = AT_ONCE, done: Callable[[Run], None] = lambda _run: None
    ) -> list[Run]:
        """Run scenarios side by side, and return their runs in the given order."""
        slots = asyncio.Semaphore(at_once)

        async def one(scenario: Scenario) -> Run:
            async with slots:
                run = await self.run(scenario)
            done(run)
            return run

        return list(await asyncio.gather(*(one(scenario) for scenario in scenarios)))

    async def run(self, scenario: Scenario, number: int | str = 1) -> Run:
        """Run one scenario, with the stories beside it, and judge it. One that a busy machine spoilt is told again."""
        run = await self._told(scenario, number)
        for told in range(2, TELLINGS + 1):
            if not run.starved:
                break
            if self._place.temporal:
                await answers_again(self._place.temporal)
            run = await self._told(scenario, f"{number}:{told}")
            run.told = told
        return run

    async def _told(self, scenario: Scenario, number: int | str) -> Run:
        run, *beside = await asyncio.gather(
            self._run(scenario, scenario_key(scenario, self._seed, number)),
            *(
                self._run(other, f"{scenario_key(scenario, self._seed, number)}:{other.name}:{place}")
                for place, other in enumerate(scenario.beside, 1)
            ),
        )
        run.beside = beside
        run.judged = all(each.judged for each in (run, *beside))
        run.starved = any(each.starved for each in (run, *beside))
        for other in beside:
            run.problems += [f"beside it, {other.scenario.name}: {problem}" for problem in other.problems]
        return run

    async def late_calls(self) -> dict[str, str]:
        """Return a problem for each workflow that a service was called for after its ledger was read."""
        return await self._fakes.late_calls()

    async def _run(self, scenario: Scenario, key: str) -> Run:
        began = time.perf_counter()
        workflow_id = _id_of(scenario, key)
        run = Run(
            scenario,
            key,
            workflow_id,
            Timeline(workflow_id),
            virtual=self._place.virtual,
            seen_inside=bool(self._place.controls),
        )
        try:
            in_time = await self._play(run)
            run.wall_s = time.perf_counter() - began
            if not run.virtual:
                run.timeline.now = (run.timeline.began or 0) + run.wall_s
            await self._judge(run)
            spoilt = any(untrue(run))
            run.judged = in_time and not spoilt
            run.starved = spoilt or any(unanswered(run))
        except Exception as error:  # noqa: BLE001 - whatever broke in the harness, it is this run's, and no other's
            run.wall_s = time.perf_counter() - began
            run.problems.append(self._broken(run, error))
            run.starved = run.virtual and isinstance(error, (SilenceError, RPCError))
        finally:
            if self._place.time:
                self._place.time.forget(run.workflow_id)
            if self._place.lost_answers:
                self._place.lost_answers.forget(run.workflow_id)
            if self._place.stagings:
                self._place.stagings.forget(run.workflow_id)
        return run

    async def _play(self, run: Run) -> bool:
        """Play a run; say whether that was done within the limit."""
        try:
            async with asyncio.timeout(LIMIT_S):
                try:
                    if run.scenario.lost.keyless:
                        await self._named_by_the_gateway(run)
                    await self._fakes.put_rules(run)
                    await self._try_on(run)
                    await self._collect(run)
                finally:
                    await self._fakes.remove_rules(run)
        except TimeoutError:
            run.problems.append(f"not done within {LIMIT_S:g} s of wall time")
            await self._collect(run)
            return False
        except WaitsForEverError as forever:
            run.problems.append(str(forever))
            run.status = "RUNNING"
            await self._collect(run)
        return True

    def _broken(self, run: Run, error: Exception) -> str:
        """Say what broke, with a rule's own words for its id."""
        said = str(error)
        for rule_id, rule in run.rules.items():
            said = said.replace(rule_id, f"{rule.fault['kind']} on {rule.service}.{rule.operation}")
        return f"broke off: {type(error).__name__}: {said} (the gateway is {self._place.gateway})"

    async def _named_by_the_gateway(self, run: Run) -> None:
        """Send the start without a key, and go on by the id of the answer that says that nobody knows of it."""
        assert self._place.lost_answers, "answers get lost in virtual time alone"
        start = Start(request_body(run.scenario), dict(run.scenario.headers), run.scenario.size)
        with self._place.lost_answers.nothing_taken():
            answer = await self._gateway(run).post(start.content, headers=start.headers)
        said = json_of(answer)
        if not _nobody_knows(answer):
            if answer.is_success:
                run.problems.append(f"a start of which Temporal never heard was accepted: {said}")
            return  # a refusal will be said of what is sent with a key, too
        run.repeated.append(("start", answer.status_code, said))
        if "workflowId" in said:
            run.workflow_id = said["workflowId"]
            run.timeline = Timeline(run.workflow_id)

    async def _try_on(self, run: Run) -> None:
        scenario = run.scenario
        key = run.key if _id_of(scenario, run.key) == run.workflow_id else run.workflow_id
        headers = {"Idempotency-Key": key, **scenario.headers}
        start = Start(request_body(scenario), headers, scenario.size)
        gateway, temporal, stagings = self._gateway(run), self._place.temporal, self._place.stagings
        acts = Acts(scenario, lambda act: perform(Asking(gateway, temporal, act, run.workflow_id, start, stagings)))
        if self._place.time:
            self._foresee(run, self._place.time, acts)
        acts.begin("start")
        try:
            if await self._accepted(run, start):
                await self._through(run, acts)
            else:
                run.status = "REFUSED"
        finally:
            acts.stop()
            if late := self._overtaken.pop(run.workflow_id, None):
                late.cancel()

    async def _through(self, run: Run, acts: Acts) -> None:
        """Follow a try-on that was accepted to its end, with all that the user does."""
        if not run.virtual:
            run.timeline.began = time.time()
        ended = asyncio.create_task(self._ended(run))
        try:
            acts.begin("accepted")
            if not run.virtual:
                acts.begin_in_time()
            await self._follow(run, ended)
            if late := self._overtaken.get(run.workflow_id):
                await late
            acts.begin("end")
            run.acts = await acts.answers()
        finally:
            ended.cancel()

    def _foresee(self, run: Run, time: VirtualTime, acts: Acts) -> None:
        """Say what is to happen at which instant of its virtual time."""
        scenario = run.scenario
        if scenario.cancel_at is not None:
            time.at(run.workflow_id, scenario.cancel_at, lambda: self._cancel_in_time(run))
        for act in acts.timed():
            time.at(run.workflow_id, float(act.at), partial(acts.do, act))
        for each in scenario.departures:
            self._leaves(run, time, each)

    async def _accepted(self, run: Run, start: Start) -> bool:
        """Send the start, again where nobody knows what became of it; return whether it was accepted."""
        scenario = run.scenario
        patience = 0.0 if run.virtual or scenario.rules else PATIENCE_S
        most = scenario.lost.start + scenario.lost.refused + scenario.lost.keyless
        if self._place.lost_answers and any(scenario.lost):
            self._place.lost_answers.lose(run.workflow_id, scenario.lost)
        if self._place.stagings and scenario.staging:
            self._place.stagings.refuse(run.workflow_id, scenario.staging)
        answer = await self._gateway(run).in_time(
            lambda: self._gateway(run).post(start.content, headers=start.headers), patience
        )
        while _nobody_knows(answer) and len(run.repeated) < most:
            run.repeated.append(("start", answer.status_code, json_of(answer)))
            answer = await self._gateway(run).post(start.content, headers=start.headers)
        run.start_answer, run.again_after = (answer.status_code, json_of(answer)), answer.headers.get("Retry-After")
        return answer.status_code == ACCEPTED

    async def _follow(self, run: Run, ended: "asyncio.Task[None]") -> None:
        """Poll as a frontend does; look at once when the workflow has ended, so that no run waits for its next poll."""
        while True:
            look = await self._gateway(run).look(run.workflow_id)
            if look.status_code == UNAVAILABLE:  # it runs on, and a busy deployment cannot say how
                run.unanswered += 1
                await asyncio.sleep(POLL_INTERVAL_S)
                continue
            answer = json_of(look)
            if answer.get("status") != "RUNNING":
                gone = look.status_code == NOT_FOUND
                run.status, run.answer = LOST if gone else str(answer.get("status")), answer
                return
            run.samples.append((answer["progress"], answer["currentStep"]))
            if ended.done():
                ended.result()  # it may be that nobody can wait for it any longer
                await asyncio.sleep(POLL_INTERVAL_S)
            else:
                await asyncio.wait([ended], timeout=CALM_INTERVAL_S if run.virtual else POLL_INTERVAL_S)

    async def _ended(self, run: Run) -> None:
        """Return once the workflow has ended, or, in real time, is to be cancelled."""
        if not run.virtual and run.scenario.cancel_at is not None:
            await self._place.until(run.workflow_id, run.scenario.cancel_at)
            await self._cancel(run)
        if self._place.temporal is None:
            await asyncio.Event().wait()
        else:
            with suppress(WorkflowFailureError):
                await self._place.temporal.get_workflow_handle(run.workflow_id).result()

    def _leaves(self, run: Run, time: VirtualTime, departure: Departure) -> None:
        time.at(run.workflow_id, departure.at, lambda: run.timeline.happenings.append(Happening(departure.at, LEFT)))
        time.worker_leaves(run.workflow_id, *departure)

    async def _cancel_in_time(self, run: Run) -> None:
        """Cancel in virtual time. A cancel that the end overtakes is under way when this returns."""
        scenario = run.scenario
        assert self._place.time, "its time is virtual"
        assert scenario.cancel_at is not None, "there is a cancel"
        run.timeline.happenings.append(Happening(scenario.cancel_at, "cancel"))
        self._place.time.story(run.workflow_id).cancels_at_once = scenario.cancel_heard == "at_once"
        if scenario.cancel_heard != "after_the_end":
            await self._cancel(run)
            return
        assert self._place.lost_answers, "they go with virtual time"
        looked = asyncio.create_task(self._place.lost_answers.overtake(run.workflow_id).wait())
        late = self._overtaken[run.workflow_id] = asyncio.create_task(self._cancel(run))
        try:
            await asyncio.wait([late, looked], return_when=asyncio.FIRST_COMPLETED)
        finally:
            looked.cancel()

    async def _cancel(self, run: Run) -> None:
        answer = await self._gateway(run).cancel(run.workflow_id)
        for _ in range(run.scenario.lost.cancel):
            if _nobody_knows(answer):
                run.repeated.append(("cancel", answer.status_code, json_of(answer)))
                answer = await self._gateway(run).cancel(run.workflow_id)
        run.cancel_answer = (answer.status_code, json_of(answer))

    async def _collect(self, run: Run) -> None:
        begun = run.status not in {"REFUSED", LOST}
        if self._place.time and begun:
            run.timeline.read(self._place.time.story(run.workflow_id))
        run.calls = await self._fakes.calls(run)
        if not begun or self._place.temporal is None:
            return
        if self._place.store and PHOTOS[run.scenario.photo].noted:
            names = (f"staging/{run.workflow_id}", f"{run.workflow_id}.jpg")  # docs/operations.md
            run.kept = {name: await self._place.store.read(name) for name in names}
        handle = self._place.temporal.get_workflow_handle(run.workflow_id)
        run.history = await handle.fetch_history()
        if run.status == "COMPLETED":
            run.output = await handle.result()

    async def _judge(self, run: Run) -> None:
        run.problems += [*unmet(run), *breaches(run)]
        if self._replays and run.history is not None and run.status != "UNKNOWN":
            async with self._replaying:
                failure = await replay(run.history, virtual=run.virtual)
            if failure:
                run.problems.append(f"the history does not replay: {failure}")


def _nobody_knows(answer: httpx.Response) -> bool:
    said = json_of(answer)
    error = said.get("error") if isinstance(said, dict) else None
    lost = isinstance(error, dict) and error.get("code") == "TEMPORAL_UNAVAILABLE"
    return answer.status_code == UNAVAILABLE and lost
