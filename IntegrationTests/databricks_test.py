#!/usr/bin/env python3
"""databricks_test.py [--binary PATH] [--mb 6] [--only NAME…] [--readers NAME,…]

The Databricks pipeline through the real binary, every column of bronze, silver, the quarantine and every gold table held against databricks_expected, in five readers:

  sample     the shipped sample in one run; a further run finds nothing
  grown      the same in three runs: gold tables grow, one file is delivered again with more lines, another one's last line gets its end
  generated  events of bench/gen_databricks.py with numbers and booleans unquoted
  nasty      hand-made events: odd JSON, odd names, odd times, damaged lines
  written    a file that is written in pieces, amid lines: nothing of it comes too early, and all of it once
  damaged    compressed files that are damaged or cut: exit status and message of run and check, and the others are read
  strip      the nasty events with every empty value left out, and with none
  drop       the nasty events with rules whose events go to the quarantine
  fail       a rule that stops the pipeline: exit status, and nothing committed
"""
import gzip, json, os, shutil, subprocess, sys, time, warnings
import databricks_expected as expected
import databricks_lake, harness
from databricks_lake import READERS, EventLake
from harness import ROOT, Failure, demand

SAMPLE = os.path.join(ROOT, "Examples", "databricks", "audit-logs")
LEFT_ALONE = 1_700_000_000                                             # long ago: nobody is writing the file any more
INPUT = 66
DAY = 86_400_000
FIRST = 1795219200000                                                  # 2026-11-21 in milliseconds
STRIPS = {"null": "null", "": '""', "{}": "{}", "[]": "[]"}


def put(lake, name, data, time):
    """a file of events, delivered at a time"""
    path = os.path.join(lake.events, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "wb") as f:
        f.write(data)
    os.utime(path + ".part", (time, time))
    os.rename(path + ".part", path)
    return path


def sample_files():
    paths = [os.path.join(f, n) for f, _, names in os.walk(SAMPLE) for n in names]
    for path in sorted(paths, key=os.path.basename):
        with open(path, "rb") as f:
            yield os.path.relpath(path, SAMPLE), f.read()


def settle(lake, readers, name, **settings):
    """drains, looks that a further run finds nothing, and reckons"""
    lake.drain()
    again = lake.drain()
    demand(not again["batches"] and not again["rows"], f"a further run found {again['batches']} batches with {again['rows']} rows")
    problems, tables = databricks_lake.reckon(lake, readers, **settings)
    if problems:
        raise Failure(f"{len(problems)} problems:\n  " + "\n  ".join(p[:600] for p in problems[:60]))
    print(f"{name}: {len(lake.numbers('receipts'))} batches, {tables.lines} lines, {len(tables.silver)} events in {len(tables.services)} services, "
          f"{len(tables.quarantine)} in quarantine ({', '.join(f'{k} {n}' for k, n in sorted(tables.reasons().items()))}); every column alike in {', '.join(readers)}", flush=True)
    return tables


def test_sample(a, folder):
    lake = EventLake(a.binary, folder)
    for n, (name, data) in enumerate(sample_files()):
        put(lake, name, data, 1_795_400_000 + n)
    settle(lake, a.readers, "sample")


def test_grown(a, folder):
    lake = EventLake(a.binary, folder)
    files = list(sample_files())
    plain = [n for n, (name, _) in enumerate(files) if name.endswith(".json")]
    first, second = plain[0], plain[1]
    part = lambda data, share: data[:data.index(b"\n", int(len(data) * share)) + 1]
    put(lake, files[first][0], part(files[first][1], 0.3), 1_795_400_000)
    put(lake, files[second][0], part(files[second][1], 0.5)[:-1], 1_795_400_001)   # its last line has no end yet
    lake.drain()
    before = lake.gold_tables()
    put(lake, files[first][0], part(files[first][1], 0.7), 1_795_400_010)
    put(lake, files[second][0], files[second][1], 1_795_400_011)
    lake.drain()
    for n, (name, data) in enumerate(files):
        if n != second:
            put(lake, name, data, 1_795_400_020 + n)
    tables = settle(lake, a.readers, "grown")
    demand(len(lake.numbers("plans")) >= 3, "fewer than three batches")
    demand(set(before) < {s.table for s in tables.services.values()}, "no gold table came later")


def test_generated(a, folder):
    lake = EventLake(a.binary, folder)
    subprocess.run([sys.executable, os.path.join(ROOT, "bench", "gen_databricks.py"), "--mb", str(a.mb), "--files", "3", "--mixed", "--out", lake.events],
                   check=True, stderr=subprocess.DEVNULL)
    settle(lake, a.readers, "generated")


# ---------------------------------------------------------------- events made by hand

def event(service="svc", params="{}", **more):
    """an event's line; the values of `more` are JSON text"""
    fields = {"version": '"2.0"', "timestamp": "1795250000123", "workspaceId": '"42"', "serviceName": json.dumps(service), "actionName": '"act"', "requestParams": params} | more
    return "{" + ",".join(f'"{k}":{v}' for k, v in fields.items() if v is not None) + "}"


def some(service, *numbers, **more):
    """events of a service, a day of its own for each number"""
    return [event(service, json.dumps({"n": str(n)}), event_id=json.dumps(f"{service}-{n}"), timestamp=str(FIRST + n * DAY), **more).encode() for n in numbers]


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


def nasty_lines():
    keys = ["", " ", ".", "..", "a.b", "a b", 'q"uote', "q'uote", "back`tick", "sla/sh", "back\\slash", "100%", "100%25", "a-b", "a_b", "A_B", "new\nline", "tab\t", "nul\0", "del\x7f",
            "größe", "gro\u0308ße", "GRÖSSE", "GRÖßE", "日本語", "🚀", "x" * 300, "x" * 299 + "y", "ü" * 120, "email", "requestParams", "date", "placeholder", "_rescued", "key", "value",
            "a,b", "a, b", "{}", "(x)", "[x]", "<x>", "x:y", "x;y", "x=y", "*", "?", "|", "#", "$", "@", "__proto__", "null", "a_b_2"]
    odd_params = ",".join(f"{json.dumps(k)}:{json.dumps(str(n))}" for n, k in enumerate(keys))
    lines = [
        event("odd keys", "{" + odd_params + "}"),
        event("many keys", "{" + ",".join(f'"key{n}":"{n}"' for n in range(400)) + "}"),
        event("cases", '{"DataSourceId":"1","dataSourceId":"2","DATASOURCEID":"3"}'), event("cases", '{"dataSourceId":"4"}'),
        event("twice", '{"a":"1","a":"2","a":null,"b":null,"b":"3"}'), event("twice", '{"c":""}'), event("twice", None), event("twice", "null"), event("twice", "{}"),
        event("not an object", '"text"'), event("not an object", "[1,2]"), event("not an object", "7"), event("json in a text", '"{\\"k\\":\\"v\\"}"'), event("json in a text", '"{broken"'),
        event("values", '{"s":"x","n":1,"f":1.50,"e":1E5,"neg":-0,"big":123456789012345678901234567890,"huge":1e400,"t":true,"u":false,"z":null,"empty":"","o":{},"a":[],"blank":" "}'),
        event("nested", '{"o": { "k" : [ 1 , 2.50 , -0 , 1E3 , "a b" , "\\u00e9\\n" , null , true , { } , [ ] ] , "k" : 2 } , "a": [ [ ] , {"x" : "} ]"} ] }'),
        event("nested", '{"deep":' + nested(200) + "}"), event("nested", '{"deep":' + nested(300) + "}"), event("nested", '{"deep":' + nested(4000) + "}"), event("nested", '{"deep":' + nested(4200) + "}"), "[" * 5000, "[" * 300 + "]" * 300,
        event("escapes", '{"e":"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\"\\\\","half":"\\ud83d","other":"\\ude00x","swapped":"\\ude00\\ud83d","nul":"a\\u0000b","raw":"é😀\u2028"}'),
        event("escapes", '{"\\u006bey":"escaped key","key":"the same key"}'),
        *[event(s) for s in ("", " ", ".", "..", "a/b", "a-b", "a_b", "A_B", "ä", "Ä", "a\u0308", "s" * 300, "s" * 301, "new\nline", "🚀", "_delta_log", "bronze", "silver", "a%2Fb", "null")],
        event(serviceName="5"), event(serviceName="null"), event(serviceName='{"a": 1}'), event(serviceName=None), event(serviceName="true"), event(actionName="null"), event(actionName=None),
        *[event("times", timestamp=t) for t in ("0", "-1", "1", '"1795250000123"', "1795250000123.5", "1.7952500001e12", "null", '"soon"', '""', "true", "[]", "253402300799999", "-62135596800000")],
        event("times", timestamp=None), event("times", timestamp=None, event_time='"2026-11-21T09:15:30.123456+02:00"'), event("times", event_time='"2026-11-21T09:15:30Z"'),
        *[event("times", timestamp=None, event_time=json.dumps(t)) for t in
          ("2026-11-21", "2026-11-21 09:15:30", "2026-11-21T09:15:30", "2026-11-21T09:15:30.1Z", "2026-11-21T09:15:30.1234567Z", "2026-11-21T09:15:30-0830", "1969-12-31T23:59:59.999Z",
           "2026-02-30T00:00:00Z", "yesterday", "", "2026-11-21T24:00:00Z", "2024-02-29T23:59:59.999+00:00")],
        event("dates", timestamp=None, event_time='"2026-11-21T23:30:00-05:00"', event_date='"2026-11-22"'), event("dates", event_date='"1999-01-01"'), event("dates", timestamp=None, event_date='"2026-11-20"'),
        *[event("workspaces", workspaceId=w) for w in ('"0"', "0", "-1", '"-1"', '""', "null", '"abc"', "12345678901234567890", "1.5", '" 1"', "[1]")], event("workspaces", workspaceId=None),
        *[event("responses", response=r) for r in ("null", "{}", '{"statusCode":200}', '{"statusCode":"403","errorMessage":"","result":""}', '{"statusCode":2.5}', '{"statusCode":"many"}',
                                                  '{"statusCode":null,"more":{"a":1}}', '"text"', "[]", "5", '"{\\"statusCode\\":404}"', '{"result":{"a":[1, 2]}}', '{"statusCode":9223372036854775808}',
                                                  '{"statusCode":200,"statusCode":201}', '{"status_code":500,"error_message":"e"}')],
        *[event("identities", userIdentity=u) for u in ("null", "{}", '{"email":"a@b"}', '{"email":"","subjectName":""}', '{"email":null,"subjectName":"n","x":[1, 2]}', '"text"', "[]",
                                                       '"{\\"email\\":\\"a@b\\"}"', '{"email":5}', '{"email":"a","email":"b"}')],
        *[event("metadata", identity_metadata=m) for m in ("null", "{}", '{"run_by":"a","run_as":null,"acting_resource":""}', '{"x":{"y": 1}}', '"text"', '{"a":1,"a":2}')],
        event("rescued", a="1", b='{"c": [1, 2]}', c="null", d='""', e="{}"), event("rescued", a="1", **{"a.b": "2", "": "3"}), event("rescued", event_id='"given"'), event("rescued", event_id="7"),
        event("rescued", event_id="null"), event("rescued", event_id='""'), event("rescued", workspace_id='"43"', service_name='"other"'),
        event("texts", sourceIPAddress="5", userAgent="null", sessionId='""', accountId="true", requestId="[1, 2]", version="2.0", auditLevel="{}"),
        "{\"serviceName\":\"only a service\"}", "{\"actionName\":\"only an action\"}", "{\"timestamp\":1795250000123}", "{}", "{\"a\":1}", "[]", "null", "1", "\"text\"", "[{\"serviceName\":\"x\"}]",
        "{", "}", "x", event()[:-1], event()[:-30], event() + event(), event() + ",", event() + " ", " " + event(), event("tail", '{"a":1,}'), event("tail", '{"a":NaN}'), event("tail", "{'a':1}"),
        event("tail", '{"a":01}'), event("tail", '{"a":"\\x"}'), event("tail", '{"a":"raw\ttab"}'), event("tail", '{"a":tru}'), event("tail", '{"a" 1}'), event("tail", '{"a":.5}'), event("tail", '{"a":1.}'),
        event("equal"), event("equal"), event("equal"),
        '{"records":[]}', '{"records":[%s,%s,{"x":1},5,%s]}' % (event("in an envelope"), event("in an envelope"), event("in an envelope", '{ "k" : 1 }')), '{"records":{"a":1}}', '{"records":5}',
        '{"more":1,"records":[%s]}' % event("in an envelope"), '{"more":1,"records":[]}',
        '{"a":{"b": [1]},"more":null,"records":[%s,{"serviceName":"in an envelope","more":2,"a":"own"}],"more":"x","a#2":3,"records":5}' % event("in an envelope"),
        "\ufeff" + event("marked"), "\ufeff", "\ufeff{", "\ufeff" + '{"records":[%s],"beside":1}' % event("marked"), "\ufeff\ufeff" + event("marked"), " \ufeff" + event("marked"), "{\"records\":[" + event("cut envelope"),
        '{"time":"2026-11-21T10:00:00.25Z","category":"c","properties":{"serviceName":"azure","actionName":"a","requestParams":"{\\"k\\":\\"v\\",\\"n\\":null,\\"o\\":{\\"p\\": 1}}",'
        '"response":"{\\"statusCode\\":200}","logId":"l"},"identity":"{\\"email\\":\\"e\\",\\"subjectName\\":\\"s\\"}","operationVersion":"1.0"}',
        '{"time":"2026-11-21T10:00:00.25Z","properties":{"serviceName":"azure","requestParams":{"k":"v"},"response":"broken"},"identity":"broken"}',
        '{"time":"2026-11-21T10:00:00Z","category":"c"}',
        '{"event_time":"2026-11-21T10:00:00.5+00:00","event_date":"2026-11-21","workspace_id":42,"service_name":"system","action_name":"a","user_identity":{"email":"e","subject_name":"s"},'
        '"request_params":{"k":"v","e":""},"response":{"status_code":200,"error_message":null,"result":null},"event_id":"34ac703c","identity_metadata":{"run_by":"r"},"source_ip_address":"::1","audit_level":"A"}',
    ]
    return [line.encode("utf-8", "surrogatepass") for line in lines] + [
        event("latin", '{"k":"caf\u00e9"}').encode("latin-1"), b"\xef\xbb\xbf" + event("latin", '{"k":"caf\u00e9"}').encode("latin-1"), b"\xff\xfe", event("l\u00f6we").encode("latin-1"), event("latin", '{"k":"\u00e9').encode("latin-1"), b"caf\xe9 " + event().encode()]


def nasty(a, folder, **keys):
    lake = EventLake(a.binary, folder, **keys)
    lines = nasty_lines()
    put(lake, "a/nasty.json", b"\n".join(lines) + b"\n", LEFT_ALONE + 0)
    put(lake, "a/crlf.json", b"\r\n".join([b"", *lines[:6], b" ", b"\t", *lines[:3], b""]), LEFT_ALONE + 1)
    put(lake, "b/no end.json", b"\n\n" + lines[2], LEFT_ALONE + 2)
    put(lake, "b/cut short.json", lines[3] + b"\n" + lines[2][:-9], LEFT_ALONE + 3)
    put(lake, "b/empty.json", b"", LEFT_ALONE + 4)
    put(lake, "b/blank.json", b"\n \r\n\t\n", LEFT_ALONE + 5)
    put(lake, "b/one of each.json", b"\n".join(dict.fromkeys(lines)), LEFT_ALONE + 6)
    return lake


def test_nasty(a, folder):
    settle(nasty(a, folder), a.readers, "nasty")


def test_strip(a, folder):
    for strip in STRIPS, ():
        place = os.path.join(folder, str(len(strip)))
        settle(nasty(a, place, strip="[" + ", ".join(STRIPS[s] for s in strip) + "]"), a.readers[:1], f"strip {len(strip)} values", strip=tuple(strip))


def test_drop(a, folder):
    rules = dict.fromkeys(expected.RULES, "drop")
    settle(nasty(a, folder, expectations=json.dumps(rules)), a.readers[:1], "drop", actions=rules)


def test_written(a, folder):
    lake = EventLake(a.binary, folder)
    lines = [event("written", json.dumps({"n": str(n)})).encode() + b"\n" for n in range(30)]
    data = b"".join(lines)
    path = os.path.join(lake.events, "a.json")
    step = len(lines[0]) * 2 // 3
    for end in range(step, len(data) + step, step):
        with open(path, "ab") as f:
            f.write(data[end - step:end])
        report, whole = lake.drain(), data[:end].rfind(b"\n") + 1
        demand(report["quarantined"] == 0 and report["remarks"] == [], f"the run said {report}")
        # A line without its newline is whole when its object is.
        tail = data[whole:end]
        pending = {path: len(tail)} if tail and not tail.endswith(b"}}") else {}
        demand(report["pending"] == pending, f"{report['pending']} wait, not {pending}")
        demand(not lake.drain()["batches"], "a further run made a batch")
    settle(lake, a.readers[:1], "written")


def test_damaged(a, folder):
    lake = EventLake(a.binary, folder)
    data = gzip.compress(b"".join(event("packed", json.dumps({"n": str(n)})).encode() + b"\n" for n in range(3_000)))
    damaged = data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 0x55]) + data[len(data) // 2 + 1:]
    put(lake, "sound.json", event().encode() + b"\n", LEFT_ALONE)
    for name, part, said in (("bad.json.gz", damaged, "is damaged"), ("cut.json.gz", data[:-100], "ends too early")):
        path = put(lake, name, part, LEFT_ALONE)
        done = lake.run()
        demand(done.returncode == INPUT and path in done.stderr and said in done.stderr, f"{name}: run ended with {done.returncode} and said {done.stderr.strip()}")
        done = lake.run("check")
        demand(done.returncode != 0 and path in done.stdout + done.stderr, f"{name}: check ended with {done.returncode} and said {(done.stdout + done.stderr).strip()}")
        demand(json.loads(lake.run("status", "--format", "json").stdout) is not None, "status fails")
        os.remove(path)
    # What was written a moment ago may be written on.
    put(lake, "cut.json.gz", data[:-100], time.time())
    report = lake.drain()
    demand(any("ends too early" in r for r in report["remarks"]), f"the run said {report}")
    put(lake, "cut.json.gz", data, time.time())
    settle(lake, a.readers[:1], "damaged")


def test_fail(a, folder):
    lake = EventLake(a.binary, folder, expectations="{valid_workspace_id: fail}")
    put(lake, "a.json", (event() + "\n" + event(workspaceId="-1") + "\n").encode(), 1_795_400_000)
    done = lake.run()
    demand(done.returncode not in (0, 1, 64), f"the run ended with {done.returncode}")
    demand("valid_workspace_id" in done.stderr and "a.json" in done.stderr, f"the run said: {done.stderr.strip()}")
    demand(not lake.numbers("plans") and not lake.gold_tables(), "something was committed")
    lake.configure("events/**/*.json*")
    settle(lake, a.readers[:1], "fail, then warn")


TESTS = {name.removeprefix("test_"): f for name, f in list(globals().items()) if name.startswith("test_")}


def main():
    p = harness.arguments(__doc__, logs=False, seed=False)
    p.add_argument("--mb", type=float, default=6, help="size of the generated input (6)")
    p.add_argument("--only", nargs="+", choices=TESTS, default=list(TESTS))
    p.add_argument("--readers", default=",".join(READERS))
    a = p.parse_args()
    a.readers = a.readers.split(",")
    folder, failed = harness.prepare(a), False
    for name in a.only:
        place = os.path.join(folder, name)
        os.mkdir(place)
        try:
            TESTS[name](a, place)
        except Failure as e:
            failed = True
            print(f"FAILED: {name}: {e}", flush=True)
        else:
            if not a.keep:
                shutil.rmtree(place)
    return harness.conclude(a, folder, failed)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    status = main()
    sys.stdout.flush()
    # Five engines in one process: at its exit the threads of one may hang or abort on what another has torn down.
    os._exit(status)
