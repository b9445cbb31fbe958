"""`get_proof`: proofs about the published log, for holders of its verifier keys.

`{"eventId"}` or `{"offset"}`, with `"size"` for a given checkpoint → `{"proof", "entry"}`: the text of a tlog-proof,
and the log's entry in base64. `{"from", "to"}` → `{"consistency"}`: hashes in base64.
"""

from __future__ import annotations

from base64 import b64encode

from lambdas.eventstore.errors import InvalidRequest
from lambdas.eventstore.offsets import to_position

from . import runtime
from .proofs import Proofs


@runtime.function
def handler(request: runtime.Request) -> runtime.Answer:
    return answer(Proofs(runtime.bucket()), request)


def answer(proofs: Proofs, request: runtime.Request) -> runtime.Answer:
    match sorted(request.keys() - {"size"}):
        case ["from", "to"]:
            return _consistency(proofs, request)
        case ["eventId"]:
            proof, entry = proofs.of_event(runtime.text(request, "eventId"), _size(request))
        case ["offset"]:
            proof, entry = proofs.at(_position(runtime.text(request, "offset")), _size(request))
        case _:
            forms = "give eventId or offset, and size if a given checkpoint is wanted; or from and to"
            raise InvalidRequest("", f"is none that is known here: {forms}")
    return {"proof": str(proof), "entry": b64encode(entry).decode()}


def _consistency(proofs: Proofs, request: runtime.Request) -> runtime.Answer:
    runtime.only(request, {"from", "to"})
    old, new = runtime.whole(request, "from"), runtime.whole(request, "to")
    if old > new:
        raise InvalidRequest("/from", f"is {old}, and to is {new}: a log does not shrink")
    return {"consistency": [b64encode(one).decode() for one in proofs.consistency(old, new)]}


def _position(offset: str) -> int:
    try:
        return to_position(offset)
    except InvalidRequest:
        raise InvalidRequest("/offset", "is not an offset of this store: pass on an event's `offset`") from None


def _size(request: runtime.Request) -> int | None:
    return runtime.whole(request, "size") if "size" in request else None
