"""Events of a YAML text by ruamel's parser, in the form of those by libyaml's."""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from ruamel.yaml import YAML, events as ruamel


def strict_events(text: str) -> Iterator[yaml.Event]:
    """Parse by ruamel's parser, which was written for YAML 1.2.

    Yields:
        the events of the text.

    Raises:
        ruamel.yaml.error.YAMLError: it is not YAML.
    """
    for event in YAML(typ="safe", pure=True).parse(text):
        yield _same(event)


def _same(event: ruamel.Event) -> yaml.Event:
    start, end = event.start_mark, event.end_mark
    match event:
        case ruamel.ScalarEvent():
            style = event.style or ""
            return yaml.ScalarEvent(
                event.anchor, event.tag, event.implicit, event.value, start, end, style
            )
        case ruamel.AliasEvent():
            return yaml.AliasEvent(event.anchor, start, end)
        case ruamel.MappingStartEvent():
            return yaml.MappingStartEvent(event.anchor, event.tag, event.implicit, start, end)
        case ruamel.SequenceStartEvent():
            return yaml.SequenceStartEvent(event.anchor, event.tag, event.implicit, start, end)
        case ruamel.DocumentStartEvent():
            return yaml.DocumentStartEvent(start, end, event.explicit, event.version, event.tags)
        case ruamel.MappingEndEvent():
            return yaml.MappingEndEvent(start, end)
        case ruamel.SequenceEndEvent():
            return yaml.SequenceEndEvent(start, end)
        case _:
            return yaml.StreamEndEvent(start, end)
