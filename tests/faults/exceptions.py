"""The faults that nobody catches, each with the reason why it changes no answer."""

from __future__ import annotations

from typing import Final

_LABEL: Final = (
    "binding and voluntary packs judge alike; tests/policies/test_shipped.py holds the label"
)
_DENIED: Final = "a deny of the same pack stands over the permit"
_TWICE: Final = "another rule of the same pack says the same of this place"
_COUNTRY: Final = "a rule names the country of the region already"
_BOTH: Final = "the place stands in the other group of the condition as well"
_ACCESS: Final = "1:1 has no access to write, train or export, so the rule never meets it"

_PERMITS: Final = ("permit-live-uses", "permit-named-uses", "permit-public-uses")
_LABELS: Final = {
    "eu-ai-act-article-5": "voluntary",
    "eu-dual-use-diligence": "binding",
    "ibm-precision-regulation": "binding",
    "multilateral": "binding",
    "ofac-embargoes": "voluntary",
    "provider-acceptable-use": "binding",
    "us-local-law": "voluntary",
    "us-party-lists": "voluntary",
}
_LOOSER: Final = (
    "drop a condition (listed)",
    "permit more (destination CN)",
    "permit more (destination IR)",
    "permit more (destination UA-43)",
    "permit more (end_use mass_surveillance)",
    "permit the unknown (anonymised)",
    "permit the unknown (private)",
    "permit the unknown (stale)",
    "permit the unknown (unknown)",
    "widen a condition (listed by sdn)",
)
_WIDENED: Final = {
    "beside_ear_d5": ("CN", "IR", "RU"),
    "code_of_conduct_subscribers": ("RU",),
    "ear_744_21": ("IR",),
    "ear_cc1_controlled": ("IR",),
    "ear_e1": ("CN", "RU"),
    "ear_e2": ("CN", "IR", "RU"),
    "embargoed_regions": ("IR",),
    "eu_restricted_areas": ("CN", "IR", "PS", "RU"),
    "indeterminate": ("CN", "IR", "RU"),
    "record_assured": ("CN", "IR", "RU"),
    "record_case_by_case": ("CN", "IR", "RU"),
    "record_unclear": ("CN", "IR", "RU"),
}
_REGIONS: Final = (
    "beside_ear_d5",
    "ear_744_21",
    "ear_d5",
    "ear_e1",
    "ear_e2",
    "ear_part_746",
    "indeterminate",
    "ofac_countries",
    "record_assured",
    "record_refused",
    "record_unclear",
)

# Rules on every other service, beside a deny of search at scale by the same facts.
_BESIDE: Final = (
    "ofac-embargoes/deny-every-other-service",
    "ofac-embargoes/deny-every-other-service-to-syria-while-it-was-embargoed",
    "us-party-lists/deny-every-other-service-to-blocked-parties",
)

# By the fault's name.
UNCAUGHT: Final[dict[str, str]] = {
    **{f"pack {pack}: flip the force ({force})": _LABEL for pack, force in _LABELS.items()},
    **{
        f"ibm-precision-regulation/{permit}: {slip}": _DENIED
        for permit in _PERMITS
        for slip in _LOOSER
    },
    "ibm-precision-regulation/permit-named-uses: drop a condition (destination)": _DENIED,
    "ibm-precision-regulation/deny-embargoed: flip the mode": _TWICE,
    "ibm-precision-regulation/require-consent-for-images: "
    "widen a condition (class by one_to_one)": _ACCESS,
    **{f"{rule}: widen a condition (class by one_to_many)": _TWICE for rule in _BESIDE},
    **{f"group ear_d5: narrow the group ({place})": _TWICE for place in ("CU", "IR", "KP")},
    **{
        f"group {group}: widen the group ({place})": _TWICE
        for group, places in _WIDENED.items()
        for place in places
    },
    **{f"group {group}: widen the group (UA-43)": _COUNTRY for group in _REGIONS},
    **{f"group wassenaar: narrow the group ({place})": _BOTH for place in ("GB", "NO", "RU", "US")},
}
