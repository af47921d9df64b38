"""Other Python frameworks on the platform's reading work: same events, same validation, same sink, their own idiom.

`make bench-peers` runs `main.py` here; `catalogue.py` says who takes part and what each does less or more. Each side is
a process of its own, in an environment of its own (`requirements/peers`): what lives in `sides`, and what they import
(`events`, `rules`, `errand`, `sink`, `with_*`), may import nothing of `shared` or `services`. The platform's side is
`sides/platform.py` and runs as the platform does.
"""
