from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from gateway.demo.provider.credential import Own
from gateway.demo.provider.server import ProviderSimulator

OWN = Own(
    access_key_id="AKIDGATEWAYEXAMPLE",
    secret_access_key="made-up-gateway-secret",
    region="us-east-1",
    subscription_key="made-up-subscription-key",
)


@pytest.fixture
def own() -> Own:
    return OWN


@pytest.fixture
async def provider() -> AsyncIterator[ProviderSimulator]:
    async with ProviderSimulator(OWN, lambda: datetime.now(UTC)) as simulator:
        yield simulator
