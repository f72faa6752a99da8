"""What is offered, held to its signatures, its version and its content; attacks on each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.policy.activation import Candidate, Origin, State, activated, rolled_back
from gateway.core.policy.bundle import SIGNATURE_FILE, digest_of
from gateway.core.policy.signing import Key, Signing, Statement, cosigned, sign
from gateway.sources.contents import read_contents
from gateway.sources.offers import Offered, Outcome, Refused, Terms, Unmoved, offer, recall, restore
from tests.builders import NOW
from tests.sources.test_policies import written

ADA, BEN = (Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in (1, 2))
TWO = Signing(
    keys=tuple(
        Key(id=name, public=private.public_key().public_bytes_raw())
        for name, private in (("ada", ADA), ("ben", BEN))
    ),
    threshold=2,
)
ORIGIN = Origin(who="ada", time=NOW)


def directory(path: Path, *names: str) -> Path:
    """Write a policy directory of these packs."""
    path.mkdir(parents=True)
    for name in names or ("ours",):
        written(path, f"{name}.yaml")
    return path


def signed(path: Path, version: int, *privates: Ed25519PrivateKey) -> Path:
    """Sign a policy directory; by both keys unless told otherwise."""
    statement = Statement(
        bundle=digest_of(read_contents(path).manifest()),
        version=version,
        expires=NOW + timedelta(days=1),
    )
    signatures = [sign(private, statement) for private in privates or (ADA, BEN)]
    (path / SIGNATURE_FILE).write_bytes(msgspec.json.encode(cosigned(statement, signatures)))
    return path


def terms(state: State | None = None, *, signing: Signing | None = TWO, **more: bool) -> Terms:
    return Terms(state=state, signing=signing, now=NOW, **more)


def offered(path: Path, kept: Path, wanted: Terms) -> Outcome:
    return offer(str(path), None, str(kept), wanted)


def candidate(path: Path, kept: Path, wanted: Terms) -> Candidate:
    outcome = offered(path, kept, wanted)
    assert isinstance(outcome, Offered), outcome
    return outcome.candidate


def words(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return "; ".join(finding.message for finding in outcome.findings)


def swap_a_file(path: Path) -> None:
    (path / "ours.yaml").write_text((path / "ours.yaml").read_text().replace("deny", "permit"))


def swap_a_byte_of_no_policy(path: Path) -> None:
    (path / "README.md").write_text("other words")


def add_a_file(path: Path) -> None:
    written(path, "more.yaml")


def remove_a_file(path: Path) -> None:
    (path / "theirs.yaml").unlink()


def rename_a_file(path: Path) -> None:
    (path / "theirs.yaml").rename(path / "ztheirs.yaml")


def link_a_file(path: Path) -> None:
    elsewhere = path.parent / "elsewhere.yaml"
    elsewhere.write_text((path / "theirs.yaml").read_text().replace("deny", "permit"))
    (path / "theirs.yaml").unlink()
    (path / "theirs.yaml").symlink_to(elsewhere)


def link_a_directory(path: Path) -> None:
    written(path.parent / "elsewhere", "linked.yaml")
    (path / "linked").symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize(
    "attack",
    [
        swap_a_file,
        swap_a_byte_of_no_policy,
        add_a_file,
        remove_a_file,
        rename_a_file,
        link_a_file,
        link_a_directory,
    ],
)
def test_a_directory_that_was_changed_after_it_was_signed_is_refused(
    tmp_path: Path, attack: Callable[[Path], None]
) -> None:
    path = directory(tmp_path / "policies", "ours", "theirs")
    (path / "README.md").write_text("words")
    candidate(signed(path, 1), tmp_path / "kept", terms())
    attack(path)
    outcome = offered(path, tmp_path / "kept", terms())
    assert "the signatures are of another bundle" in words(outcome)


def test_an_unsigned_directory_and_a_broken_signature_are_refused(tmp_path: Path) -> None:
    path = directory(tmp_path / "policies")
    assert "is not signed" in words(offered(path, tmp_path / "kept", terms()))
    content = (signed(path, 1) / SIGNATURE_FILE).read_bytes()
    (path / SIGNATURE_FILE).write_bytes(content[: len(content) // 2])
    assert f"`{SIGNATURE_FILE}` is no signature" in words(offered(path, tmp_path, terms()))
    signed(path, 1, ADA, ADA)
    assert "1 of 2 needed signatures hold" in words(offered(path, tmp_path, terms()))


def test_a_bundle_that_is_refused_is_not_kept(tmp_path: Path) -> None:
    offered(directory(tmp_path / "policies"), tmp_path / "kept", terms())
    assert not (tmp_path / "kept").exists()


def test_a_replayed_older_bundle_is_refused_and_a_newer_one_is_not(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    old = signed(directory(tmp_path / "old"), 1)
    new = signed(directory(tmp_path / "new", "newer"), 2)
    state = activated(None, candidate(old, kept, terms()), ORIGIN)
    state = activated(state, candidate(new, kept, terms(state)), ORIGIN)
    assert "sign it anew with a higher version" in words(offered(old, kept, terms(state)))
    assert "sign it anew" in words(offered(signed(old, 2), kept, terms(state)))
    assert candidate(signed(old, 3), kept, terms(state)).version == 3


def test_a_rollback_under_signatures_is_a_new_signed_version_of_the_old_content(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "kept"
    old = signed(directory(tmp_path / "old"), 1)
    new = signed(directory(tmp_path / "new", "newer"), 2)
    state = activated(None, candidate(old, kept, terms()), ORIGIN)
    bundle = state.active.bundle
    state = activated(state, candidate(new, kept, terms(state)), ORIGIN)
    wanted = terms(state, wanted=True)
    assert "is not signed" in words(recall(bundle, None, str(kept), wanted))
    first = (old / SIGNATURE_FILE).read_bytes()
    assert "higher version" in words(recall(bundle, first, str(kept), wanted))
    again = (signed(old, 3) / SIGNATURE_FILE).read_bytes()
    outcome = recall(bundle, again, str(kept), wanted)
    assert isinstance(outcome, Offered)
    state = rolled_back(state, outcome.candidate, ORIGIN)
    # What was left is held, and its own signature is too old now; signed anew it comes back.
    held = offered(new, kept, terms(state))
    assert held == Unmoved(bundle=state.held[0], held=True)
    assert candidate(signed(new, 4), kept, terms(state)).version == 4


def test_what_is_active_changes_nothing_also_when_its_signature_has_expired(
    tmp_path: Path,
) -> None:
    path, kept = signed(directory(tmp_path / "policies"), 1), tmp_path / "kept"
    state = activated(None, candidate(path, kept, terms()), ORIGIN)
    later = msgspec.structs.replace(terms(state), now=NOW + timedelta(days=400))
    assert offered(path, kept, later) == Unmoved(bundle=state.active.bundle, held=False)
    (path / SIGNATURE_FILE).unlink()
    assert isinstance(offered(path, kept, later), Unmoved)
    assert isinstance(restore(str(kept), state.active, TWO), Offered)


def test_keys_that_did_not_sign_what_is_active_are_told_so(tmp_path: Path) -> None:
    path, kept = signed(directory(tmp_path / "policies"), 1), tmp_path / "kept"
    unsigned = activated(None, candidate(path, kept, terms(signing=None)), ORIGIN)
    (path / SIGNATURE_FILE).unlink()
    assert "what is active is not signed" in words(offered(path, kept, terms(unsigned)))
    assert "what is active is not signed" in words(restore(str(kept), unsigned.active, TWO))
    state = activated(None, candidate(signed(path, 1), kept, terms()), ORIGIN)
    rotated = Signing(keys=TWO.keys[:1], threshold=1)
    assert isinstance(restore(str(kept), state.active, rotated), Offered)
    stranger = Key(id="eve", public=bytes(range(32)))
    other = Signing(keys=(stranger,), threshold=1)
    assert "is not trusted" in words(restore(str(kept), state.active, other))


def test_a_held_bundle_stays_away_until_somebody_wants_it(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    old, new = directory(tmp_path / "old"), directory(tmp_path / "new", "newer")
    free = terms(signing=None)
    state = activated(None, candidate(old, kept, free), ORIGIN)
    first = candidate_of(state)
    bad = candidate(new, kept, terms(state, signing=None))
    state = rolled_back(activated(state, bad, ORIGIN), first, ORIGIN)
    assert offered(new, kept, terms(state, signing=None)) == Unmoved(bundle=bad.bundle, held=True)
    assert candidate(new, kept, terms(state, signing=None, wanted=True)) == bad
    written(new, "more.yaml")
    assert candidate(new, kept, terms(state, signing=None)).bundle != bad.bundle


def candidate_of(state: State) -> Candidate:
    return Candidate(bundle=state.active.bundle, policies=state.active.policies)


@pytest.mark.parametrize("damage", ["changed", "gone", "no manifest", "another manifest"])
def test_a_kept_bundle_that_was_damaged_is_refused_and_mended_by_the_same_files(
    tmp_path: Path, damage: str
) -> None:
    path, kept = directory(tmp_path / "policies"), tmp_path / "kept"
    state = activated(None, candidate(path, kept, terms(signing=None)), ORIGIN)
    (file,), (manifest,) = (list((kept / name).iterdir()) for name in ("files", "manifests"))
    match damage:
        case "changed":
            file.write_text(file.read_text().replace("deny", "permit"))
        case "gone":
            file.unlink()
        case "no manifest":
            manifest.unlink()
        case _:
            manifest.write_text(manifest.read_text().replace("ours", "hers"))
    assert "is not" in words(restore(str(kept), state.active, None))
    lost = terms(state, signing=None, lost=True)
    assert candidate(path, kept, lost).bundle == state.active.bundle
    assert isinstance(restore(str(kept), state.active, None), Offered)


def test_a_directory_with_a_mistake_is_refused_with_every_finding(tmp_path: Path) -> None:
    path = directory(tmp_path / "policies", "ours", "theirs")
    for name in ("ours.yaml", "theirs.yaml"):
        (path / name).write_text((path / name).read_text().replace("deny", "dney"))
    outcome = offered(path, tmp_path / "kept", terms(signing=None))
    assert isinstance(outcome, Refused)
    assert len(outcome.findings) == 2
    assert not (tmp_path / "kept").exists()


def test_a_bundle_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no directory")
    outcome = offered(directory(tmp_path / "policies"), tmp_path / "kept", terms(signing=None))
    assert "cannot be written: " in words(outcome)


def test_only_a_digest_names_a_bundle(tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "sha256:" + "A" * 64, "sha256:" + "0" * 64):
        outcome = recall(name, None, str(tmp_path), terms(signing=None, wanted=True))
        assert isinstance(outcome, Refused)
    shutil.rmtree(tmp_path)
