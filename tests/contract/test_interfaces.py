"""The interfaces in `contracts/` are those that the services have."""

import importlib
import inspect

import pytest

from shop.packages import ROOT
from tests.contract.services import calls

INTERFACES = sorted(path.parent.name for path in (ROOT / "contracts").glob("*/interface.py"))


@pytest.mark.parametrize("service", INTERFACES)
def test_who_calls_sees_what_there_is(service):
    """Each RPC method, and no other, with its request's arguments; `**` stands for the rest."""
    module = importlib.import_module(f"contracts.{service}.interface")
    declared = {
        name: inspect.signature(method).parameters
        for name, method in vars(getattr(module, service.capitalize())).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    offered = {
        name.removeprefix(f"{service}."): set(schema._declared_fields if schema else ())
        for name, schema in calls().items()
        if name.startswith(f"{service}.") and name != f"{service}.health"
    }
    assert declared.keys() == offered.keys()
    for method, parameters in declared.items():
        rest = {name for name, one in parameters.items() if one.kind is one.VAR_KEYWORD}
        named = set(parameters) - rest - {"self"}
        assert named <= offered[method] if rest else named == offered[method], method
