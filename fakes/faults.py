"""Every kind of fault of this project: who reads rules of all services imports this module, which registers them."""

from fakes.kit.faults import kinds
from fakes.pictures import faults as _pictures, result_faults as _results  # noqa: F401 - for what they register
from fakes.storage import faults as _store  # noqa: F401 - as above

__all__ = ["kinds"]
