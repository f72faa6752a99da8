"""The invented parties of the demonstration, as a tenant file attests them, without credentials.

Nobody here exists. Places and kinds are chosen so that each tenant shows one thing.
"""

from __future__ import annotations

from gateway.core.strict_json import JsonValue

_VALID: dict[str, JsonValue] = {"valid_from": "2020-01-01", "valid_to": "2040-01-01"}
# Microsoft has granted Limited Access for the tenant's use, and a person has seen that.
_LIMITED_ACCESS: dict[str, JsonValue] = {
    "id": "LIMITED-ACCESS",
    "kind": "review",
    "names": ["limited_access"],
    **_VALID,
}

PARTIES: tuple[dict[str, JsonValue], ...] = (
    {
        "id": "harbour-bank",
        "legal_name": "Harbour Bank plc",
        "type": "private",
        "tags": ["kyc"],
        "countries": ["GB"],
        "deployments": ["GB"],
        "end_uses": ["customer_verification"],
        "listed": [],
        "references": [_LIMITED_ACCESS],
    },
    {
        "id": "northwind-missing",
        "legal_name": "Northwind Missing Persons Charity",
        "type": "private",
        "countries": ["CA"],
        "deployments": ["CA"],
        "end_uses": ["missing_persons"],
        "listed": [],
        "references": [_LIMITED_ACCESS],
    },
    {
        "id": "meridian-border",
        "legal_name": "Meridian Border Agency",
        "type": "government",
        "countries": ["US"],
        "deployments": ["US"],
        "end_uses": ["border_control"],
        "listed": [],
    },
    {
        "id": "prairie-police",
        "legal_name": "Prairie County Police Department",
        "type": "law_enforcement",
        "countries": ["US"],
        "deployments": ["US"],
        "end_uses": ["missing_persons"],
        "listed": [],
    },
    {
        "id": "fjord-police",
        "legal_name": "Fjord District Police",
        "type": "law_enforcement",
        "countries": ["NO"],
        "deployments": ["NO"],
        "end_uses": ["missing_persons"],
        "listed": [],
        "references": [
            _LIMITED_ACCESS,
            {"id": "AUTH-2026-17", "kind": "authorisation", **_VALID},
            {"id": "DILIGENCE-4", "kind": "review", "names": ["dual_use"], **_VALID},
        ],
    },
    {
        "id": "jade-bureau",
        "legal_name": "Public Security Bureau of Jade Prefecture",
        "type": "law_enforcement",
        "countries": ["CN"],
        "deployments": ["CN"],
        "end_uses": ["public_security"],
        "listed": ["entity_list"],
    },
    {
        "id": "gulf-reseller",
        "legal_name": "Gulf Vision Trading FZE",
        "type": "private",
        "countries": ["AE"],
        "deployments": ["AE"],
        "end_uses": ["customer_verification"],
        "listed": [],
        "parties": [
            {
                "name": "Sever District Police Directorate",
                "role": "end_user",
                "type": "law_enforcement",
                "countries": ["RU"],
                "listed": [],
            }
        ],
    },
    {
        "id": "tavria-port",
        "legal_name": "Tavria Port Services",
        "type": "private",
        "countries": ["UA"],
        "deployments": ["UA-43"],
        "end_uses": ["missing_persons"],
        "listed": [],
    },
    {
        "id": "bright-mall",
        "legal_name": "Bright Mall Holdings Ltd",
        "type": "private",
        "countries": ["GB"],
        "deployments": ["GB"],
        "end_uses": ["visitor_analytics"],
        "listed": [],
        "references": [_LIMITED_ACCESS],
    },
    {
        "id": "plaza-watch",
        "legal_name": "Plaza Watch Inc",
        "type": "private",
        "countries": ["US"],
        "deployments": ["US"],
        "end_uses": ["crowd_scanning"],
        "listed": [],
    },
    {
        "id": "dune-towers",
        "legal_name": "Dune Towers Management LLC",
        "type": "private",
        "countries": ["AE"],
        "deployments": ["AE"],
        "end_uses": ["access_control"],
        "listed": [],
    },
    {
        "id": "lowland-lab",
        "legal_name": "Lowland Vision Laboratory",
        "type": "private",
        "countries": ["NL"],
        "deployments": ["NL"],
        "end_uses": ["personal_photo_search"],
        "listed": [],
    },
    {
        "id": "polder-studio",
        "legal_name": "Polder Casting Studio",
        "type": "private",
        "countries": ["NL"],
        "deployments": ["NL"],
        "end_uses": ["personal_photo_search"],
        "listed": [],
        "references": [{"id": "CONSENT-9", "kind": "consent", **_VALID}],
    },
)
