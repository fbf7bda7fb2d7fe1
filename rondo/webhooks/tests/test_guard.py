"""Nothing within the house is reached, however it is written, resolved or answered; no attempt lasts for ever."""

import time

import pytest

from rondo import outside
from rondo.errors import InputError
from rondo.webhooks.sending import Answer, post
from rondo.webhooks.tests.receiver import Handler, free_port, receiving

LOOPBACK = outside.networks("127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "https:///hooks",
        "//example.org/hooks",
        "http://example.org/hooks",  # in the clear
        "https://user:secret@example.org/",
        "https://example.org@127.0.0.1/",
        "https://example.org/#there",
        "https://exa mple.org/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org/\r\nHost:x",
        "https://пример.org/",
        "https://example.org:22/",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://localhost/",
        "https://db/",
        "https://metadata.google.internal/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://10.1.2.3/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://168.63.129.16/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::808:808]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::254]/",
        "https://[fc00::1]/",
        "https://[ff02::1]/",
        "https://[127.0.0.1]/",
        "https://example..org/",
        "https://" + "a" * 1000 + ".org/",
    ],
)
def test_addresses_that_are_refused_as_they_are_written(url: str) -> None:
    with pytest.raises(InputError):
        outside.target(url)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://example.org", "example.org", 443),
        ("https://EXAMPLE.org:8443/a?b=c", "example.org", 8443),
        ("https://xn--e1afmkfd.org/", "xn--e1afmkfd.org", 443),
        ("https://8.8.8.8/", "8.8.8.8", 443),
        ("https://[2606:4700::1]/", "2606:4700::1", 443),
    ],
)
def test_addresses_that_may_be_called(url: str, host: str, port: int) -> None:
    found = outside.target(url)
    assert (found.host, found.port) == (host, port)


def test_a_setting_opens_networks_of_the_house_and_never_those_of_clouds() -> None:
    allowed = outside.networks("10.1.0.0/16, 0.0.0.0/0 ::/0")
    assert outside.target("http://10.1.2.3:8080/hooks", allowed).port == 8080
    assert outside.refusal("10.1.2.3", allowed, "http") == ""
    for address in ("169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "ff02::1", "::", "fd00:ec2::254"):
        assert outside.refusal(address, allowed), address
    assert outside.refusal("8.8.8.8", outside.networks("10.0.0.0/8"), "http"), "the clear stays in the house"
    with pytest.raises(InputError, match="RONDO_WEBHOOK_NETWORKS"):
        outside.networks("10.1.0.0/40")


def sent(url: str, resolve: dict[str, list[str]] | None = None, seconds: float = 5) -> Answer:
    """A post that may reach the loopback, with names as the test says."""
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        assert len(asked) == 1, "a name that is asked for twice may answer twice"
        return (resolve or {})[host]

    return post(url, b"{}", {"x-test": "1"}, allowed=LOOPBACK, seconds=seconds, resolve=resolver)


def test_a_name_is_resolved_once_and_what_it_says_is_checked() -> None:
    with receiving() as receiver:
        port = receiver.url.split(":")[2].partition("/")[0]
        rebinding = {"hooks.example.org": ["169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1", "127.0.0.2"]}
        refused = sent(f"http://hooks.example.org:{port}/x", rebinding)
        assert refused.status is None and "169.254.169.254" in refused.error and not receiver.got
        mixed = sent(f"http://hooks.example.org:{port}/x?y=1", {"hooks.example.org": ["10.0.0.1", "127.0.0.1"]})
        assert mixed.delivered and len(receiver.got) == 1
        assert receiver.got[0].headers["host"] == f"hooks.example.org:{port}", (
            "the name, at the address that was checked"
        )
        assert receiver.got[0].path == "/x?y=1"


def test_redirects_are_not_followed_and_environment_proxies_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as inner:
        monkeypatch.setenv("http_proxy", inner.url)
        with receiving(lambda it: it.answer(302, Location=inner.url)) as receiver:
            answer = sent(receiver.url)
        assert (answer.status, answer.delivered) == (302, False)
        assert len(receiver.got) == 1 and not inner.got


def test_no_attempt_lasts_longer_than_its_time_and_no_answer_is_kept_whole() -> None:
    def drip(it: Handler) -> None:
        it.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _n in range(40):
            it.wfile.write(b"x")
            it.wfile.flush()
            time.sleep(0.05)

    def silent(it: Handler) -> None:
        time.sleep(1)

    def huge(it: Handler) -> None:
        it.answer(200, b"")
        while True:
            it.wfile.write(b"\xff\x00y" * 30_000)

    for misbehaving in (drip, silent):
        with receiving(misbehaving) as receiver:
            answer = sent(receiver.url, seconds=0.4)
        assert answer.status is None and "No answer within" in answer.error and answer.milliseconds < 2000
    with receiving(huge) as receiver:
        answer = sent(receiver.url)
    assert answer.delivered and len(answer.text) == 1000 and "\x00" not in answer.text
    closed = sent(f"http://127.0.0.1:{free_port()}/")
    assert closed.status is None and "connection failed" in closed.error


def test_a_certificate_has_to_be_good_for_the_name() -> None:
    """A receiver that speaks no TLS, and one with a certificate nobody signed, get nothing."""
    with receiving() as receiver:
        answer = sent(receiver.url.replace("http:", "https:"))
        assert answer.status is None and answer.error and not receiver.got
