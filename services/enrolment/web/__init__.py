"""Enrolment's pages for HR, supervisors and the programme lead: server-rendered, on the shared web room, no script.

A feature is a module `<feature>_pages.py` with one `PageRoutes`, its templates in `templates/<feature>/`, and a line in
`all_pages.py`. Views call the application's handlers and queries through `page_read` and `page_transact`, with
`books()` and `desk()` of `rooms.py`; they decide nothing. What a page shows is made ready in `<feature>_showing.py`.

    rooms.py        what views need of the other rooms, put in by the bootstrap
    look.py         name, first page, navigation
    wording.py      what states, kinds and fields are called
    all_pages.py    the list of all blueprints, for the bootstrap
"""
