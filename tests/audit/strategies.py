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
    Destination,
    Observed,
    Operation,
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
REFERENCES = st.builds(
    Reference,
    id=TEXT,
    kind=st.sampled_from(get_args(ReferenceKind)),
    valid_from=st.none() | TIMES,
    valid_to=st.none() | TIMES,
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
FACTS = st.builds(
    Facts,
    operation=OPERATIONS,
    identity=IDENTITIES,
    geography=GEOGRAPHIES,
    screening=SCREENINGS,
    observed=st.builds(Observed, probes=st.none() | TEXTS, stream_processor=TEXT),
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
)
