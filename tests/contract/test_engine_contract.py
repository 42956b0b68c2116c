"""What holds whatever engine runs a query: types, values, windows, given tables, errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from houses import House, house

from bartizan.engines import SQL_ENGINES
from bartizan.errors import ConfigError
from bartizan.model.window import DAY, HOUR, Window, naive

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(START, START + DAY)

HOSTILE = [
    "",
    " ",
    "NULL",
    "null",
    "\\N",
    "'; drop table shop.visit; --",
    'say "hi", twice ""',
    "a,b;c|d",
    "tab\tline\nreturn\rend",
    "back\\slash \\n",
    "{{ start }}",
    "%s %(x)s :x ? $1 {x}",
    "ü 漢字 🏰 \u202e",
    "x" * 5000,
]

VISITS = pa.table(
    {
        "seen": pa.array(
            [naive(START) + timedelta(minutes=n, microseconds=n) for n in range(len(HOSTILE))]
            + [naive(START), naive(START + DAY) - timedelta(microseconds=1), naive(START + DAY)],
            pa.timestamp("us"),
        ),
        "text": [*HOSTILE, None, "last", "next day"],
        "whole": pa.array([*range(len(HOSTILE)), None, 2**62, 7], pa.int64()),
        "fraction": pa.array([n / 8 for n in range(len(HOSTILE))] + [None, 1e300, 0.1]),
        "is_bot": pa.array([n % 2 == 0 for n in range(len(HOSTILE))] + [None, True, False]),
        "on_day": pa.array([date(2026, 11, 1)] * len(HOSTILE) + [None, date(1970, 1, 1), None]),
    }
)
IN_WINDOW = VISITS.slice(0, VISITS.num_rows - 1)
BETWEEN = "where seen >= {{ start }} and seen < {{ end }}"


@pytest.fixture(scope="module", params=SQL_ENGINES, ids=str)
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with house(request.param, tmp_path_factory.mktemp("lake")) as one:
        one.hold({"shop.visit": VISITS})
        yield one


def ordered(rows: pa.Table) -> list[dict[str, object]]:
    return sorted(rows.to_pylist(), key=lambda row: str(sorted(row.items())))


def test_every_type_and_text_comes_back_as_it_is(opened: House) -> None:
    query = f"select seen, text, whole, fraction, is_bot, on_day from shop.visit {BETWEEN}"

    rows = opened.engine.query(query, WINDOW)

    assert rows.schema.types == VISITS.schema.types
    assert rows.schema.names == VISITS.schema.names
    assert rows.num_rows == len(HOSTILE) + 2
    assert ordered(rows) == ordered(IN_WINDOW)


def test_types_are_there_without_rows(opened: House) -> None:
    query = f"select seen, text, whole, fraction, is_bot, on_day from shop.visit {BETWEEN}"

    rows = opened.engine.query(query, Window(START - DAY, START))

    assert (rows.num_rows, rows.schema.types) == (0, VISITS.schema.types)


def test_a_window_is_half_open(opened: House) -> None:
    query = f"select count(*) as n from shop.visit {BETWEEN}"

    days = [Window(START + n * DAY, START + (n + 1) * DAY) for n in range(-1, 2)]

    counted = [opened.engine.query(query, day).to_pylist() for day in days]
    assert counted == [[{"n": 0}], [{"n": len(HOSTILE) + 2}], [{"n": 1}]]


def test_the_portable_subset_means_the_same(opened: House) -> None:
    query = f"""
        with visit as (
            select
                whole,
                date_trunc('minute', seen)
                - interval '1' minute * mod(extract(minute from seen), 5) as bucket,
                coalesce(text, '-') as text,
                case when text like 'x%' then 'long' else 'short' end as length_class
            from shop.visit {BETWEEN}
        )
        select
            bucket,
            cast(bucket as date) as on_day,
            count(*) as visits,
            count(distinct length_class) as classes,
            cast(sum(coalesce(whole, 0)) as bigint) as total,
            cast(sum(case when length_class = 'long' then 1 else 0 end) as bigint) as longest,
            cast(max(whole) as double precision) / 4 as quarter,
            min(text || '!') as smallest,
            row_number() over (order by bucket) as place
        from visit
        where text not in ('null') and (whole < 1000 or whole is null)
        group by bucket
    """

    rows = opened.engine.query(query, WINDOW).to_pylist()

    kept = [
        row
        for row in IN_WINDOW.to_pylist()
        if row["text"] != "null" and (row["whole"] is None or row["whole"] < 1000)
    ]
    buckets = {row["seen"].replace(minute=row["seen"].minute // 5 * 5, second=0, microsecond=0)
               for row in kept}  # fmt: skip
    assert sorted(row["bucket"] for row in rows) == sorted(buckets)
    for row in rows:
        end = row["bucket"] + timedelta(minutes=5)
        inside = [one for one in kept if row["bucket"] <= one["seen"] < end]
        wholes = [one["whole"] for one in inside if one["whole"] is not None]
        assert row["on_day"] == row["bucket"].date()
        assert row["visits"] == len(inside)
        assert row["total"] == sum(wholes)
        assert row["longest"] == sum((one["text"] or "-").startswith("x") for one in inside)
        assert row["classes"] == len({(one["text"] or "-")[0:1] == "x" for one in inside})
        assert row["quarter"] == max(wholes) / 4
        assert row["place"] == sorted(buckets).index(row["bucket"]) + 1


def test_given_tables_are_read_by_name_and_gone_afterwards(opened: House) -> None:
    watched = pa.table(
        {
            "text": [*HOSTILE, None],
            "weight": pa.array([10**n for n in range(len(HOSTILE))] + [None], pa.int64()),
            "since": pa.array([naive(START)] * (len(HOSTILE) + 1), pa.timestamp("us")),
        }
    )
    query = """
        select visit.text, watched.weight, watched.since
        from shop.visit as visit
        inner join watched on visit.text = watched.text
    """

    rows = opened.engine.query(query, WINDOW, given={"watched": watched})

    assert ordered(rows) == ordered(watched.slice(0, len(HOSTILE)))
    with pytest.raises(ConfigError):
        opened.engine.query(f"{query} {BETWEEN.replace('seen', 'visit.seen')}", WINDOW)


def test_given_tables_may_be_empty(opened: House) -> None:
    none = pa.table({"text": pa.array([], pa.string()), "n": pa.array([], pa.int64())})

    rows = opened.engine.query("select text, n from nothing", WINDOW, given={"nothing": none})

    assert (rows.num_rows, rows.schema.types) == (0, [pa.string(), pa.int64()])


@pytest.mark.parametrize(
    "query",
    [
        f"select nothing from shop.visit {BETWEEN}",
        f"select * from shop.nothing {BETWEEN}",
        f"select seen from shop.visit {BETWEEN} and",
        f"select cast(text as bigint) from shop.visit {BETWEEN}",
        "select seen from shop.visit",
        "drop table shop.visit",
        f"select seen from shop.visit {BETWEEN}; drop table shop.visit",
        f"select pg_sleep(10) from shop.visit {BETWEEN}",
    ],
)
def test_a_wrong_query_is_one_line_with_its_origin(opened: House, query: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opened.engine.query(query, WINDOW, "connectors/visits/query.sql")

    message = str(caught.value)
    assert message.startswith("connectors/visits/query.sql: ") and "\n" not in message
    assert opened.engine.query(f"select count(*) as n from shop.visit {BETWEEN}", WINDOW)


def test_scans_name_the_tables_and_run_nothing(opened: House) -> None:
    query = f"select count(*) as n from shop.visit {BETWEEN}"

    found = opened.engine.scans(query, WINDOW)

    assert {scan.table for scan in found} == {"shop.visit"}
    assert all(scan.rows is None or scan.rows >= 0 for scan in found)
    with pytest.raises(ConfigError):
        opened.engine.scans("drop table shop.visit", WINDOW)


def test_the_same_window_gives_the_same_rows_again(opened: House) -> None:
    query = f"select text, whole from shop.visit {BETWEEN} order by whole"
    hour = Window(START, START + HOUR)

    assert opened.engine.query(query, hour).equals(opened.engine.query(query, hour))
