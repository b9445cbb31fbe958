"""`log_keys` `{}` → `{"keys"}`: the verifier keys of the log. Terraform asks for them, to state them as an output."""

from __future__ import annotations

from . import runtime


@runtime.function
def handler(request: runtime.Request) -> runtime.Answer:
    return {"keys": [str(signer.verifier_key) for signer in runtime.signers()]}
