"""A CQRS system on top of any store: bank accounts.

`account` decides (pure), `commands` stores what was decided, `projections` keeps read models, `queries` reads them; the
modules named after Lambdas make functions of that. README.md follows one command from the request to the balance.
"""
