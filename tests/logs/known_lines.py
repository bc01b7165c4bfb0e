"""Lines as programs write them, all of one moment, and what they say."""

from collections.abc import Sequence
from datetime import UTC, datetime

from opsdash.collectors.lines.record import Format, Level

AT = datetime(2026, 11, 22, 3, 12, 40, 204000, tzinfo=UTC).timestamp()
WHOLE = AT - 0.204
"""The same, where a line states no fraction."""
NEAR = AT + 2.0
"""When they are read."""

LINES: Sequence[tuple[Format, str, float | None, Level | None, str]] = (
    # JSON, as libraries write it
    (Format.JSON, '{"level":50,"time":1795317160204,"pid":7,"msg":"no lock"}', AT, Level.ERROR, "no lock"),
    (Format.JSON, '{"level":"warn","ts":1795317160.204,"msg":"slow"}', AT, Level.WARN, "slow"),
    (
        Format.JSON,
        '{"severity":"CRITICAL","timestamp":"2026-11-22T03:12:40.204Z","message":"x"}',
        AT,
        Level.FATAL,
        "x",
    ),
    (
        Format.JSON,
        '{"@timestamp":"2026-11-22T03:12:40.204+00:00","log.level":"ERROR","message":"x"}',
        AT,
        Level.ERROR,
        "x",
    ),
    (Format.JSON, '{"@t":"2026-11-22T03:12:40.2040000Z","@l":"Error","@m":"x"}', AT, Level.ERROR, "x"),
    (
        Format.JSON,
        '{"t":{"$date":"2026-11-22T03:12:40.204Z"},"s":"W","c":"NETWORK","msg":"x"}',
        AT,
        Level.WARN,
        "x",
    ),
    (
        Format.JSON,
        '{"timestamp":"2026-11-22 03:12:40.204 UTC","pid":9,"error_severity":"FATAL","message":"x"}',
        AT,
        Level.FATAL,
        "x",
    ),
    (
        Format.JSON,
        '{"version":"1.1","short_message":"x","timestamp":1795317160.204,"level":3}',
        AT,
        Level.ERROR,
        "x",
    ),
    (Format.JSON, '{"ts":1795317160204000000,"lvl":"info","event":"x"}', AT, Level.INFO, "x"),
    (Format.JSON, '{"log":{"level":"warning"},"message":"x"}', None, Level.WARN, "x"),
    (Format.JSON, '{"code":7,"path":"/"}', None, None, "code=7 path=/"),
    # logfmt: Go's slog, go-kit, Heroku
    (
        Format.LOGFMT,
        'time=2026-11-22T03:12:40.204Z level=ERROR msg="no lock" id=7f3a91',
        AT,
        Level.ERROR,
        "no lock",
    ),
    (
        Format.LOGFMT,
        "ts=2026-11-22T03:12:40.204Z caller=main.go:7 level=warn msg=slow",
        AT,
        Level.WARN,
        "slow",
    ),
    (
        Format.LOGFMT,
        't=2026-11-22T03:12:40.204Z lvl=eror msg=x err="dial tcp: refused"',
        AT,
        Level.ERROR,
        "x",
    ),
    (
        Format.LOGFMT,
        "at=info method=GET path=/ status=200",
        None,
        None,
        "at=info method=GET path=/ status=200",
    ),
    # syslog
    (Format.SYSLOG, "Nov 22 03:12:40 web-1 sshd[812]: Accepted publickey", WHOLE, None, "Accepted publickey"),
    (Format.SYSLOG, "<11>Nov 22 03:12:40 web-1 shop[812]: no lock", WHOLE, Level.ERROR, "no lock"),
    (
        Format.SYSLOG,
        '<165>1 2026-11-22T03:12:40.204Z web shop 7 ID47 [a@1 k="]v\\]"] up',
        AT,
        Level.INFO,
        "up",
    ),
    (
        Format.SYSLOG,
        "2026-11-22T03:12:40.204+00:00 web-1 kernel: ERROR: bad page",
        AT,
        Level.ERROR,
        "ERROR: bad page",
    ),
    # nginx
    (
        Format.NGINX,
        '10.0.0.9 - - [22/Nov/2026:03:12:40 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8"',
        WHOLE,
        Level.INFO,
        "200 GET / HTTP/1.1",
    ),
    (
        Format.NGINX,
        '10.0.0.9 - bob [22/Nov/2026:03:12:40 +0000] "POST /cart HTTP/2.0" 502 157 "-" "x" 0.41',
        WHOLE,
        Level.ERROR,
        "502 POST /cart HTTP/2.0 0.41",
    ),
    (
        Format.NGINX,
        '::1 - - [22/Nov/2026:04:12:40 +0100] "GET /a%22b HTTP/1.1" 404 -',
        WHOLE,
        Level.INFO,
        "404 GET /a%22b HTTP/1.1",
    ),
    (
        Format.NGINX,
        "2026/11/22 03:12:40 [error] 31#31: *1 connect() failed (111)",
        WHOLE,
        Level.ERROR,
        "*1 connect() failed (111)",
    ),
    # PostgreSQL
    (
        Format.POSTGRES,
        "2026-11-22 03:12:40.204 UTC [4312] LOG:  checkpoint starting: time",
        AT,
        Level.INFO,
        "checkpoint starting: time",
    ),
    (
        Format.POSTGRES,
        "2026-11-22 03:12:40.204 CET [4312] shop@orders ERROR:  deadlock detected",
        AT - 3600,
        Level.ERROR,
        "deadlock detected",
    ),
    (
        Format.POSTGRES,
        "2026-11-22 03:12:40.204 UTC [7] shop@orders,app=api,client=10.0.0.9 FATAL:  no",
        AT,
        Level.FATAL,
        "no",
    ),
    (
        Format.POSTGRES,
        "2026-11-22 03:12:40.204 UTC [7] DETAIL:  Process 7 waits",
        AT,
        None,
        "DETAIL: Process 7 waits",
    ),
    # Redis
    (
        Format.REDIS,
        "4312:M 22 Nov 2026 03:12:40.204 * Ready to accept connections tcp",
        AT,
        Level.INFO,
        "Ready to accept connections tcp",
    ),
    (
        Format.REDIS,
        "4312:C 22 Nov 2026 03:12:40.204 # Write error saving DB on disk",
        AT,
        Level.WARN,
        "Write error saving DB on disk",
    ),
    # Python
    (Format.PYTHON, "2026-11-22 03:12:40,204 ERROR shop.pool: no lock", AT, Level.ERROR, "no lock"),
    (Format.PYTHON, "2026-11-22 03:12:40,204 - shop.pool - WARNING - slow", AT, Level.WARN, "slow"),
    (Format.PYTHON, "ERROR:shop.pool:no lock", None, Level.ERROR, "no lock"),
    (
        Format.PYTHON,
        'INFO:     10.0.0.9:5123 - "GET / HTTP/1.1" 200 OK',
        None,
        Level.INFO,
        '10.0.0.9:5123 - "GET / HTTP/1.1" 200 OK',
    ),
    (
        Format.PYTHON,
        "[2026-11-22 03:12:40 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:9)",
        WHOLE,
        Level.FATAL,
        "WORKER TIMEOUT (pid:9)",
    ),
    (
        Format.PYTHON,
        "2026-11-22 03:12:40.204 | ERROR    | shop.pool:get:41 - no lock",
        AT,
        Level.ERROR,
        "no lock",
    ),
    (Format.PYTHON, "[2026-11-22 03:12:40,204: WARNING/MainProcess] slow", AT, Level.WARN, "slow"),
    # Java
    (
        Format.JAVA,
        "2026-11-22 03:12:40.204  INFO 1 --- [           main] c.shop.Orders    : Started",
        AT,
        Level.INFO,
        "Started",
    ),
    (
        Format.JAVA,
        "2026-11-22T03:12:40.204Z ERROR 1 --- [shop] [nio-8080-exec-1] c.s.Orders : no lock",
        AT,
        Level.ERROR,
        "no lock",
    ),
    (Format.JAVA, "03:12:40.204 [main] WARN  com.shop.Pool - slow", AT, Level.WARN, "slow"),
    (
        Format.JAVA,
        "2026-11-22 03:12:40,204 ERROR [http-1] com.shop.Orders: no lock",
        AT,
        Level.ERROR,
        "no lock",
    ),
    (
        Format.JAVA,
        "2026-11-22 03:12:40,204 INFO  [org.shop.Orders] (main) started",
        AT,
        Level.INFO,
        "started",
    ),
    # Go
    (Format.GO, "E1122 03:12:40.204000       7 pool.go:41] no lock", AT, Level.ERROR, "no lock"),
    # anything else
    (
        Format.PLAIN,
        "2026-11-22T03:12:40.204Z WARN api-02 request id=7f3a91",
        AT,
        Level.WARN,
        "api-02 request id=7f3a91",
    ),
    (
        Format.PLAIN,
        "2026/11/22 03:12:40 http: TLS handshake error from 10.0.0.9",
        WHOLE,
        None,
        "http: TLS handshake error from 10.0.0.9",
    ),
    (
        Format.PLAIN,
        "[2026-11-22 03:12:40] production.ERROR: no lock",
        WHOLE,
        None,
        "production.ERROR: no lock",
    ),
    (Format.PLAIN, "Killed", None, None, "Killed"),
    (Format.PLAIN, "Error: Cannot find module 'x'", None, Level.ERROR, "Error: Cannot find module 'x'"),
    (
        Format.PLAIN,
        "panic: runtime error: index out of range",
        None,
        Level.FATAL,
        "panic: runtime error: index out of range",
    ),
    (Format.PLAIN, "finished, no error, 0 warnings", None, None, "finished, no error, 0 warnings"),
    (
        Format.PLAIN,
        "Traceback (most recent call last):",
        None,
        Level.ERROR,
        "Traceback (most recent call last):",
    ),
)
