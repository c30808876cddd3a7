"""Answers as objects: unknown members are kept, unknown values accepted, and a surprise never hides an answer."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, Mapping, Optional, Type, get_type_hints

import pydantic

from ._errors import APIResponseValidationError
from ._meta import PrismMeta


class BaseModel(pydantic.BaseModel):
    # Outside pydantic's fields: never dumped, compared or pickled.
    __slots__ = ("__prism_headers__",)

    model_config = pydantic.ConfigDict(extra="allow", protected_namespaces=(), populate_by_name=True, defer_build=True)

    @property
    def prism(self) -> PrismMeta:
        """What the gateway says about the answer: provider, cost, request id, …"""
        return PrismMeta(headers_of(self))

    @property
    def _request_id(self) -> Optional[str]:
        return self.prism.request_id

    def to_dict(self, *, exclude_unset: bool = True) -> Dict[str, Any]:
        """As the gateway sent it."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=exclude_unset, warnings=False)

    def to_json(self, *, indent: Optional[int] = 2) -> str:
        return self.model_dump_json(by_alias=True, exclude_unset=True, indent=indent, warnings=False)


def headers_of(model: BaseModel) -> Mapping[str, str]:
    try:
        headers: Mapping[str, str] = object.__getattribute__(model, "__prism_headers__")
    except AttributeError:
        return {}
    return headers


def model(kind: Any, content: bytes, headers: Mapping[str, str]) -> Any:
    """Checks JSON against its type, a model or a union of models; on a mismatch keeps what the gateway sent."""
    try:
        made = _validator(kind)(content)
    except pydantic.ValidationError:
        value = parsed(content)
        if not isinstance(value, Mapping):
            raise APIResponseValidationError("the answer is not an object", body=value) from None
        made = _leniently(kind if isinstance(kind, type) else BaseModel, value)
    object.__setattr__(made, "__prism_headers__", headers)
    return made


def _validator(kind: Any) -> Callable[[bytes], Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_validate_json
    if kind not in _UNIONS:
        _UNIONS[kind] = pydantic.TypeAdapter(_resolved(kind)).validate_json
    return _UNIONS[kind]


_UNIONS: Dict[Any, Callable[[bytes], Any]] = {}


def _resolved(union: Any) -> Any:
    """A union names its variants, which may be defined after it."""
    from . import types

    def holder() -> None: ...

    holder.__annotations__ = {"union": union}
    return get_type_hints(holder, dict(vars(types)))["union"]


def parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8", "replace"))
    except ValueError as error:
        start = content[:200].decode("utf-8", "replace")
        raise APIResponseValidationError(f"the answer is not JSON: {start!r}", body=start) from error


def _leniently(kind: Type[Any], value: Any) -> Any:
    """What fits is converted, member by member; what does not stays as it came."""
    if not isinstance(value, Mapping):
        return value
    kind.model_rebuild()
    by_wire_name = {field.alias or name: (name, field) for name, field in kind.model_fields.items()}
    members: Dict[str, Any] = {name: None for name, field in kind.model_fields.items() if field.is_required()}
    for wire_name, member in value.items():
        name, field = by_wire_name.get(wire_name, (wire_name, None))
        members[name] = member if field is None else _member(field.annotation, member)
    return kind.model_construct(**members)


def _member(annotation: Any, value: Any) -> Any:
    try:
        return pydantic.TypeAdapter(annotation).validate_python(value)
    except pydantic.ValidationError:
        inner = _only_model(annotation)
        if inner is None:
            return value
        return [_leniently(inner, item) for item in value] if isinstance(value, list) else _leniently(inner, value)


def _only_model(annotation: Any) -> Optional[Type[Any]]:
    """The model that an annotation is about, when it is one."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    found = [inner for part in getattr(annotation, "__args__", ()) if (inner := _only_model(part)) is not None]
    return found[0] if len(found) == 1 else None
