"""A digest as a page with the look of the report: a file, and the HTML of an e-mail."""

from __future__ import annotations

from bartizan.dispatch.context import Context
from bartizan.dispatch.digest import LISTED, Digest
from bartizan.dispatch.html import TEMPLATES, environment

_TITLES = {
    "webacl": "Web ACLs",
    "rule": "Rules",
    "client_ip": "Clients",
    "host": "Hosts",
    "country": "Countries",
    "uri": "URIs",
}


def as_html(found: Digest, context: Context) -> str:
    """One page that loads and runs nothing; every value is inert and escaped."""
    return (
        environment(TEMPLATES)
        .get_template("digest.html.j2")
        .render(
            found=found,
            product=context.product,
            url=context.incident_url,
            titles=_TITLES,
            listed=LISTED,
        )
    )
