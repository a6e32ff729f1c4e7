"""Give a ProcPlan booking back when its work is done.

    from procplan.notifier import signal_completion

    result = signal_completion("http://planner/procplan", 42)
    if not result.ok:
        print(result.status, result.message)

A training run must not fail at its end because the planner is away: what a network does becomes a result, never an
exception. Standard library only; Python 3.8 or newer. Proxies are those of the environment (http_proxy, no_proxy).
"""

import base64
import http.client
import io
import json
import random
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import List, Optional, Union

__all__ = ["NotifyResult", "signal_completion"]

_BODY_MAX = 64 * 1024
_REDIRECTS = (301, 302, 307, 308)
_RETRIED = (429, 502, 503)  # many jobs that end at once, or a planner that is restarted: asked again within the timeout


@dataclass(frozen=True)
class NotifyResult:
    """What became of the call. True in a condition when the booking is completed."""

    ok: bool
    status: int  # HTTP status; 0 when there was no answer
    message: str  # "completed", or the answer's body, or why there was none

    def __bool__(self) -> bool:
        return self.ok


def signal_completion(
    base_url: str, booking_id: Union[int, str], timeout: float = 5.0, *, token: Optional[str] = None
) -> NotifyResult:
    """Mark a booking as completed, which frees the rest of its hours.

    base_url is where the planner is mounted; a user and a password in it are sent as Basic credentials. timeout holds for the
    whole call, in seconds; within it a server that is only busy (429, 502, 503) is asked again. With token (the booking's release token) no login is needed.
    """
    deadline = time.monotonic() + float(timeout)
    fields = {"booking_id": booking_id}
    if token is not None:
        fields["release_token"] = token
    body = json.dumps(fields).encode("ascii")
    try:
        request = _request(base_url, "/api/mark_done" if token is None else "/api/release", body)
        pause = 1.0
        while True:
            status, reason, answer, retry_after = _send(request, deadline)
            # Up to half as much again: whoever was refused together does not come back together.
            wait = max(pause, retry_after) * random.uniform(1.0, 1.5)
            if status not in _RETRIED or wait >= deadline - time.monotonic():
                return _result(status, reason, answer)
            time.sleep(wait)
            pause *= 2
    except urllib.error.URLError as error:
        return NotifyResult(False, 0, _reason(error.reason))
    except Exception as error:  # whatever a hostile answer makes the library stumble over: see above
        return NotifyResult(False, 0, _reason(error))


def _reason(error: object) -> str:
    # socket.timeout is TimeoutError from 3.10 on.
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # without "[Errno 111]"
    return str(error) or type(error).__name__


def _request(base_url: str, path: str, body: bytes) -> urllib.request.Request:
    parts = urllib.parse.urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address must begin with http:// or https:// and name a host")
    userinfo, _, host = parts.netloc.rpartition("@")
    url = urllib.parse.urlunsplit((parts.scheme, host, parts.path.rstrip("/") + path, "", ""))
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "procplan-notifier"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    if userinfo:
        login = urllib.parse.unquote_to_bytes(userinfo if ":" in userinfo else userinfo + ":")
        request.add_header("Authorization", "Basic " + base64.b64encode(login).decode("ascii"))
    return request


def _send(request: urllib.request.Request, deadline: float) -> tuple:
    """Status, reason phrase and body of the answer, and the seconds it asks to wait (0: none). Only http and https: no handler for files or FTP is there."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
        _Http(deadline),
    ):
        opener.add_handler(handler)
    if hasattr(urllib.request, "HTTPSHandler"):
        opener.add_handler(_Https(deadline))
    try:
        answer = opener.open(request, timeout=_left(deadline))
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        wait = answer.headers.get("Retry-After", "")
        return answer.code, answer.reason, answer.read(_BODY_MAX), int(wait) if re.fullmatch("[0-9]{1,6}", wait) else 0


def _result(status: int, reason: str, body: bytes) -> NotifyResult:
    text = body.decode("utf-8", "replace")
    if status == 200:
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        # A 200 from something else than the planner (a login page, say) has completed nothing.
        if isinstance(answer, dict) and answer.get("status") == "completed":
            return NotifyResult(True, status, "completed")
    return NotifyResult(False, status, text or str(reason) or "HTTP %d" % status)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if not left > 0:
        raise TimeoutError("timed out")
    return min(left, 1e6)


def _origin(url: str) -> tuple:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Stays a POST, which the library would make a GET, and stays at its origin: nobody else gets a token."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # noqa: D102
        old, new = _origin(req.full_url), _origin(newurl)
        upgrade = old[::2] == ("http", 80) and new[::2] == ("https", 443) and old[1] == new[1]
        if code not in _REDIRECTS or not (new == old or upgrade):
            return None  # the redirect itself becomes the result
        return urllib.request.Request(newurl, data=req.data, headers=req.headers, method="POST")

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302  # the library has it from 3.11 on


class _Deadlined:
    """urllib's timeout is for each wait of its own; here every wait ends with the call."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self.deadline = deadline

    def with_deadline(self, connection):
        connection._create_connection = lambda address, *_: _connected(address, self.deadline)
        connection.response_class = lambda sock, *args, **named: _until(self.deadline, sock, *args, **named)
        return connection


class _Http(_Deadlined, urllib.request.HTTPHandler):
    def http_open(self, req):  # noqa: D102
        return self.do_open(lambda *args, **named: self.with_deadline(http.client.HTTPConnection(*args, **named)), req)


if hasattr(urllib.request, "HTTPSHandler"):

    class _Https(_Deadlined, urllib.request.HTTPSHandler):
        def https_open(self, req):  # noqa: D102
            return self.do_open(lambda *args, **named: self.with_deadline(http.client.HTTPSConnection(*args, **named)), req)


class _DeadlineReader(io.RawIOBase):
    """A socket's bytes; each wait ends at the deadline, so that an answer that drips does not last for ever."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, deadline: float) -> None:
        self._sock, self._raw, self._deadline = sock, raw, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer):
        self._sock.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _until(deadline: float, sock: socket.socket, *args, **named) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(sock, *args, **named)
    response.fp = io.BufferedReader(_DeadlineReader(sock, response.fp.detach(), deadline))
    return response


def _connected(address: tuple, deadline: float) -> socket.socket:
    """A connection to the first address that takes one; each gets a fair share of the time that is left."""
    found = _resolved(address[0], address[1], deadline)
    failure: Exception = OSError("no address found for %s" % address[0])
    for index, (family, kind, protocol, _, target) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left(deadline) / (len(found) - index))
            sock.connect(target)
            sock.settimeout(_left(deadline))  # for the TLS handshake and for what is sent
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _resolved(host: str, port: int, deadline: float) -> List[tuple]:
    """getaddrinfo() knows no timeout: a thread waits for it, and is left behind when it takes too long."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    answers: list = []

    def look_up() -> None:
        try:
            answers.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            answers.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads, or the interpreter is about to end (atexit)
        look_up()
    else:
        thread.join(_left(deadline))
    if not answers:
        raise TimeoutError("timed out")
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers[0]
