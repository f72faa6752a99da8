"""Signed policy, as those meet it who sign it, who run it, and who would like it otherwise."""

from __future__ import annotations

import asyncio
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.app.gateway import Gateway
from gateway.app.policies import TIMETABLE
from gateway.console.policy import Wish
from gateway.demo.issuer import Issuer
from gateway.demo.world import World
from gateway.errors import ConfigError
from tests.cli.command import Done, facegate
from tests.system.inside import Inside, beside, write_world
from tests.system.offering import policy, settle, write
from tests.system.recording import recording_provider
from tests.system.test_activation import state_of
from tests.system.test_stages import EVERY, Clock, activations, changed, steps

TRUSTED = ("ada", "ben", "cyn")
SOON, LONG_AGO = "2099-12-31", "2020-01-01"


class Signers(msgspec.Struct, frozen=True):
    """Keys in files, three of them trusted, and a directory that is signed by the command."""

    world: World

    @classmethod
    def of(cls, world: World, more: str = "", *, where: str = "dir: policies") -> Signers:
        """Make everybody's key, and ask for two of three signatures."""
        keys = list[str]()
        for name in (*TRUSTED, "eve"):
            private = Ed25519PrivateKey.generate()
            pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (world.directory / f"{name}.pem").write_bytes(pem)
            public = b64encode(private.public_key().public_bytes_raw()).decode()
            keys.append(f"{{id: {name}, public: {public}}}")
        trusted = ", ".join(keys[: len(TRUSTED)])
        settle(world, f"{{{where}, signing: {{threshold: 2, keys: [{trusted}]}}{more}}}")
        return cls(world)

    def command(self, *arguments: str | Path) -> Done:
        return facegate(*arguments, environ=self.world.environ)

    def sign(self, version: int, *names: str, expires: str = SOON, at: Path | None = None) -> Path:
        """Sign what stands in a directory, by these in turn."""
        directory = at or self.world.policies
        for name in names:
            key = self.world.directory / f"{name}.pem"
            said = self.command(
                *("policy", "sign", directory, "--key", str(key)),
                *("--version", str(version), "--expires", expires),
            )
            assert said.code == 0, said
        return directory

    async def move(self, action: str, *arguments: str | Path) -> Done:
        """Run a command beside the gateway."""
        who = ("--who", "ada", "--why", "a test") if action == "rollback" else ()
        config = ("--config", self.world.config, *who)
        return await asyncio.to_thread(self.command, "policy", action, *arguments, *config)

    async def back(self, bundle: str, signature: Path | None) -> Done:
        """Ask for a bundle of before."""
        signed = () if signature is None else ("--signature", signature)
        return await self.move("rollback", "--to", bundle, *signed)

    def offer(self, version: int, *names: str, denying: str = "", expires: str = SOON) -> None:
        """Put a signed policy in place."""
        write(self.world.policies, policy(*filter(None, [denying])))
        self.sign(version, *names, expires=expires)


def nobody(signers: Signers) -> None:
    signers.offer(2, denying="strict")


def one_of_three(signers: Signers) -> None:
    signers.offer(2, "ada", denying="strict")


def one_twice(signers: Signers) -> None:
    signers.offer(2, "ada", "ada", denying="strict")


def one_and_a_stranger(signers: Signers) -> None:
    signers.offer(2, "ada", "eve", denying="strict")


def too_late(signers: Signers) -> None:
    signers.offer(2, "ada", "ben", denying="strict", expires=LONG_AGO)


def changed_afterwards(signers: Signers) -> None:
    signers.offer(2, "ada", "ben", denying="strict")
    (signers.world.policies / "small.yaml").write_bytes(policy()["small.yaml"] + b"# more\n")


def from_elsewhere(signers: Signers) -> None:
    """Put the signature of one policy beside another."""
    signers.offer(2, "ada", "ben")
    signature = (signers.world.policies / "bundle.sig.json").read_bytes()
    write(signers.world.policies, {**policy("strict"), "bundle.sig.json": signature})


def with_a_version_of_its_own(signers: Signers) -> None:
    """Raise the version in the file; nobody signed that."""
    signers.offer(2, "ada", "ben", denying="strict")
    path = signers.world.policies / "bundle.sig.json"
    path.write_bytes(path.read_bytes().replace(b'"version": 2', b'"version": 9'))


ATTACKS: dict[Callable[[Signers], None], str] = {
    nobody: "is not signed; 2 of `ada`, `ben`, `cyn` should sign it",
    one_of_three: "1 of 2 needed signatures hold",
    one_twice: "1 of 2 needed signatures hold",
    one_and_a_stranger: "1 of 2 needed signatures hold; the key `",
    too_late: "the signatures expired on 2020-01-01T00:00:00+00:00",
    changed_afterwards: "the signatures are of another bundle, ",
    from_elsewhere: "the signatures are of another bundle, ",
    with_a_version_of_its_own: "0 of 2 needed signatures hold; the signature of `",
}


@asynccontextmanager
async def signed(
    tmp_path: Path, *names: str
) -> AsyncIterator[tuple[Signers, Callable[[], AbstractAsyncContextManager[Inside]]]]:
    """Offer a policy that these have signed; yield the signers, and how a gateway runs there."""
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        signers = Signers.of(world)
        signers.offer(1, *names)
        yield signers, partial(beside, world, provider, issuer)


async def status(running: Inside) -> int:
    return (await running.search(1)).status


async def test_what_is_not_signed_well_is_refused_and_costs_the_running_policy_nothing(
    tmp_path: Path,
) -> None:
    async with signed(tmp_path, "ada", "cyn") as (signers, gateway), gateway() as running:
        before = state_of(tmp_path)
        assert (before.active.signers, before.active.version) == (("ada", "cyn"), 1)
        attacks = {**ATTACKS, an_older_version: "is signed as version 1, and version 1 was"}
        for attack, words in attacks.items():
            attack(signers)
            report = await running.gateway.reload("ada")
            assert words in " ".join(report.findings), attack
            assert (await status(running), state_of(tmp_path)) == (200, before), attack
    refused = [one for one in activations(tmp_path) if one.result == "refused"]
    assert len({one.bundle for one in refused} - {""}) > 1
    assert any(words in one.detail for one in refused for words in [ATTACKS[too_late]])


async def test_whoever_puts_back_what_was_signed_in_its_day_comes_too_late(
    tmp_path: Path,
) -> None:
    async with signed(tmp_path, "ada", "cyn") as (signers, gateway):
        first = tmp_path / "first"
        shutil.copytree(signers.world.policies, first)
        async with gateway() as running:
            # The command says beforehand what the gateway will say.
            one_of_three(signers)
            checked = signers.command(
                "policy", "verify", signers.world.policies, "--config", signers.world.config
            )
            assert (checked.code, "1 of 2 needed signatures hold" in checked.out) == (1, True)
            signers.sign(2, "ben")
            checked = signers.command(
                "policy", "verify", signers.world.policies, "--config", signers.world.config
            )
            assert (checked.code, "version 2, signed by ada, ben: " in checked.out) == (0, True)
            await running.gateway.reload("ada")
            assert await status(running) == 403
            after = state_of(tmp_path)
            shutil.rmtree(signers.world.policies)
            shutil.copytree(first, signers.world.policies)
            report = await running.gateway.reload("ada")
            assert "is signed as version 1, and version 2 was" in " ".join(report.findings)
            assert (await status(running), state_of(tmp_path)) == (403, after)
        # Nor does a restart help, with the old directory still there.
        async with gateway() as running:
            assert (await status(running), state_of(tmp_path)) == (403, after)


def an_older_version(signers: Signers) -> None:
    signers.offer(1, "ada", "ben", denying="strict")


async def superseded(running: Inside, signers: Signers) -> tuple[str, str]:
    """Activate a second version; return the bundle of the first and its own."""
    old = state_of(running.world.directory).active.bundle
    signers.offer(2, "ben", "cyn", denying="strict")
    await running.gateway.reload("ada")
    assert await status(running) == 403
    return old, state_of(running.world.directory).active.bundle


NOT_BACK = {
    ((), 0): "is not signed",
    (("ada",), 3): "1 of 2 needed signatures hold",
    (("ada", "eve"), 3): "1 of 2 needed signatures hold",
    (("ada", "ben"), 2): "is signed as version 2, and version 2 was activated",
}


async def test_going_back_is_a_new_signed_activation(tmp_path: Path) -> None:
    async with signed(tmp_path, "ada", "ben") as (signers, gateway), gateway() as running:
        old, left = await superseded(running, signers)
        exported = tmp_path / "old"
        assert (await signers.move("export", old, exported)).code == 0
        signature = exported / "bundle.sig.json"
        for (names, version), words in NOT_BACK.items():
            signature.unlink(missing_ok=True)
            signers.sign(version, *names, at=exported)
            said = await signers.back(old, signature if names else None)
            assert (said.code, words in said.err) == (1, True), said
            assert await status(running) == 403
        signature.unlink()
        signers.sign(3, "ada", "cyn", at=exported)
        said = await signers.back(old, signature)
        assert said.code == 0, said
        assert await status(running) == 200
        # What was left is offered still, and held.
        await running.gateway.reload("ada")
        assert (await running.status())["policy"]["held"] == left
        assert await status(running) == 200
        told = await signers.move("history")
    last = told.out.splitlines()[-1]
    assert f"activated {old} version 3 signed by ada, cyn: rollback by ada (" in last
    assert last.endswith(": a test")
    (*refused, record) = (one for one in activations(tmp_path) if one.why == "a test")
    assert (record.bundle, record.version, record.signers) == (old, 3, ("ada", "cyn"))
    assert [one.result for one in refused] == ["refused"] * len(NOT_BACK)
    assert state_of(tmp_path).mark == 3


@pytest.mark.parametrize("attack", [nobody, one_and_a_stranger, too_late])
async def test_nothing_starts_from_what_is_not_signed_well(
    tmp_path: Path, attack: Callable[[Signers], None]
) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        attack(Signers.of(world))
        gateway = Gateway(world.config, world.environ)
        with pytest.raises(ConfigError) as refusal:
            await gateway.run()
    assert ATTACKS[attack] in str(refusal.value)
    assert not gateway.ready.is_set()
    assert not (tmp_path / "audit").exists()
    assert not (tmp_path / "state/policy/active.json").exists()


async def test_who_is_not_trusted_any_more_does_not_answer_for_what_is_active(
    tmp_path: Path,
) -> None:
    async with signed(tmp_path, "ada", "ben") as (signers, gateway):
        async with gateway() as running:
            before = state_of(tmp_path)
            lines = signers.world.config.read_text()
            without = Signers.of(signers.world)  # everybody has a new key
            report = await running.gateway.reload("ada")
            assert "is not trusted" in " ".join(report.findings)
            assert (await status(running), state_of(tmp_path)) == (200, before)
        with pytest.raises(ConfigError, match="what is active: 0 of 2 needed signatures hold"):
            await Gateway(signers.world.config, signers.world.environ).run()
        assert state_of(tmp_path) == before
        assert lines != signers.world.config.read_text()
        without.offer(2, "ben", "cyn")
        async with gateway() as running:
            assert await status(running) == 200
            assert state_of(tmp_path).active.version == 2


async def test_a_step_whose_signatures_expired_waits_is_told_once_and_goes_on_signed_anew(
    tmp_path: Path,
) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world = await write_world(tmp_path, provider, issuer)
        signers, clock = Signers.of(world, ", stage: {steps: [5, 25], every_s: 60}"), Clock()
        signers.offer(1, "ada", "ben")
        soon = (clock() + EVERY * 1.5).isoformat()
        async with beside(world, provider, issuer, clock=clock) as running:
            signers.offer(2, "ada", "ben", denying="strict", expires=soon)
            await running.gateway.reload("ada")
            await changed(running, lambda: clock.go_on(EVERY))
            clock.go_on(EVERY)
            while "the signatures expired" not in " ".join((await running.status())["findings"]):
                pass
            again = await running.gateway.act(Wish(action="activate", who=TIMETABLE))
            assert again.result == "refused"
            staged = state_of(tmp_path).staged
            assert staged is not None
            assert (staged.percent, staged.step.version) == (25, 2)
            signers.sign(3, "ada", "cyn")
            assert (await running.gateway.reload("ada")).findings == ()
            staged = state_of(tmp_path).staged
            assert staged is not None
            assert (staged.percent, staged.step.version) == (25, 3)  # nobody goes back
            await changed(running, lambda: clock.go_on(EVERY * 2))
            assert (state_of(tmp_path).active.version, await status(running)) == (3, 403)
    of_the_timetable = [one.result for one in steps(tmp_path) if one.who == TIMETABLE]
    assert of_the_timetable == ["activated", "refused", "activated"]
