"""The role of a target is assumed with the external id that its trust asks for."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from respond_house import RespondHouse
from web_server import Reply, serving

from bartizan.errors import BartizanError
from bartizan.respond.ip_sets import IpSet

REFUSED = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
ROLE = "arn:aws:iam::111122223333:role/bartizan-respond"


@pytest.mark.parametrize("external_id", ["sharing=one:2", None])
def test_it_is_sent_to_sts_where_it_is_configured(
    house: RespondHouse, monkeypatch: pytest.MonkeyPatch, external_id: str | None
) -> None:
    target = replace(house.target, role_arn=ROLE, external_id=external_id, region="eu-west-3")
    with serving(Reply(403, REFUSED)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url(path=""))
        with pytest.raises(BartizanError):
            IpSet(target).read()
    (asked,) = server.asked
    fields = parse_qs(asked.body.decode())
    assert fields["RoleArn"] == [ROLE]
    assert fields.get("ExternalId") == ([external_id] if external_id else None)
