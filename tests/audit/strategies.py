"""All facts that there can be, for properties."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

from hypothesis import strategies as st

from gateway.core.decision import REASONS, Decision
from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, EvidenceKind, Located, Unlocated
from gateway.core.identity.model import (
    Method,
    Party,
    PartyRole,
    Quota,
    Reference,
    ReferenceKind,
    Tenant,
    TenantType,
    Unverified,
    Verified,
)
from gateway.core.operation import (
    OPERATION_CLASSES,
    Access,
    Ambiguous,
    Counted,
    Counting,
    Destination,
    Observed,
    Operation,
    Period,
    Taken,
    Unknown,
)
from gateway.core.screening import Clear, Hit, NotScreened

TEXT = st.text(max_size=6)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants naive bounds
CLASSES = st.sampled_from(OPERATION_CLASSES)
TYPES = st.sampled_from(get_args(TenantType))

OPERATIONS = st.one_of(
    st.builds(
        Operation,
        provider=TEXT,
        name=TEXT,
        operation_class=CLASSES,
        access=st.sampled_from(get_args(Access)),
        subclass=TEXT,
        gallery=TEXT,
        destinations=st.lists(st.builds(Destination, kind=TEXT, value=TEXT), max_size=2).map(tuple),
        reading=TEXTS,
    ),
    st.builds(Unknown, provider=TEXT, reason=TEXT, reading=TEXTS),
    st.builds(Ambiguous, provider=TEXT, operation_class=CLASSES, reason=TEXT, reading=TEXTS),
)
PARTIES = st.builds(
    Party, name=TEXT, role=st.sampled_from(get_args(PartyRole)), type=TYPES, countries=TEXTS
)
COUNTS = st.integers(0, 2**53 - 1)
COUNTING = st.sampled_from(get_args(Counting))
REFERENCES = st.builds(
    Reference,
    id=TEXT,
    kind=st.sampled_from(get_args(ReferenceKind)),
    authority=TEXT,
    names=TEXTS,
    classes=st.lists(CLASSES, max_size=2).map(tuple),
    destinations=TEXTS,
    valid_from=st.none() | TIMES,
    valid_to=st.none() | TIMES,
    quota=st.none() | st.builds(Quota, limit=COUNTS, counts=COUNTING),
    report_days=st.none() | st.integers(1, 999),
    reported=st.none() | TIMES,
    warn_days=st.integers(0, 999),
)
TENANTS = st.builds(
    Tenant,
    id=TEXT,
    legal_name=TEXT,
    type=TYPES,
    tier=TEXT,
    tags=TEXTS,
    countries=TEXTS,
    deployments=TEXTS,
    end_uses=TEXTS,
    parties=st.lists(PARTIES, max_size=2).map(tuple),
    references=st.lists(REFERENCES, max_size=2).map(tuple),
)
IDENTITIES = st.one_of(
    st.builds(Verified, method=st.sampled_from(get_args(Method)), credential=TEXT, tenant=TENANTS),
    st.builds(Unverified, reason=TEXT),
)
EVIDENCE = st.lists(
    st.builds(Evidence, kind=st.sampled_from(get_args(EvidenceKind)), code=TEXT, source=TEXT),
    max_size=2,
).map(tuple)
GEOGRAPHIES = st.one_of(
    st.builds(
        Located, client=TEXT, destination=TEXTS, evidence=EVIDENCE, contradiction=st.booleans()
    ),
    st.builds(Unlocated, client=TEXT, reason=TEXT, evidence=EVIDENCE),
)
SCREENINGS = st.one_of(
    st.builds(Hit, lists=TEXTS, parties=TEXTS),
    st.builds(Clear),
    st.builds(NotScreened, reason=TEXT),
)
OBSERVED = st.builds(
    Observed,
    probes=st.none() | TEXTS,
    stream_processor=TEXT,
    quotas=st.lists(
        st.builds(Taken, reference=TEXT, counts=COUNTING, used=COUNTS, limit=COUNTS, amount=COUNTS),
        max_size=2,
    ).map(tuple),
    budgets=st.lists(
        st.builds(
            Counted,
            budget=TEXT,
            counts=COUNTING,
            per=st.sampled_from(get_args(Period)),
            since=TIMES,
            used=COUNTS,
            limit=COUNTS,
            amount=COUNTS,
        ),
        max_size=2,
    ).map(tuple),
    over=TEXTS,
)
FACTS = st.builds(
    Facts,
    operation=OPERATIONS,
    identity=IDENTITIES,
    geography=GEOGRAPHIES,
    screening=SCREENINGS,
    observed=OBSERVED,
    at=TIMES,
)
OUTCOMES = st.sampled_from(["permit", "refuse"])
DECISIONS = st.builds(
    Decision,
    outcome=OUTCOMES,
    reason=st.sampled_from(sorted(REASONS)),
    rules=TEXTS,
    matched=TEXTS,
    shadow=TEXTS,
    shadow_outcome=OUTCOMES,
    obligations=TEXTS,
    discharged=TEXTS,
    lifted=TEXTS,
)
