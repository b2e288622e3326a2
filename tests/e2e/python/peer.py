# A service in Python, instrumented by OpenTelemetry: makes the calls that it is asked for.
# usage: python3 peer.py FORMAT, with FORMAT one of w3c, b3, b3-single
import json
import sys
from socketserver import ThreadingMixIn
from urllib.request import Request, urlopen
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from opentelemetry import trace
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PROPAGATORS = {
    "w3c": TraceContextTextMapPropagator,
    "b3": B3MultiFormat,
    "b3-single": B3SingleFormat,
}
KINDS = {trace.SpanKind.SERVER: "server", trace.SpanKind.CLIENT: "client"}

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
set_global_textmap(PROPAGATORS[sys.argv[1]]())
URLLibInstrumentor().instrument()


def post(call):
    body = json.dumps(call["arguments"]).encode()
    with urlopen(Request(call["url"], data=body, method="POST")) as answer:
        return json.load(answer)


def test(body):
    context = trace.get_current_span().get_span_context()
    return {
        "service": "python",
        "trace_id": format(context.trace_id, "032x"),
        "span_id": format(context.span_id, "016x"),
        "calls": [post(call) for call in json.loads(body)],
    }


def spans(trace_id):
    return [
        {
            "service": "python",
            "kind": KINDS.get(span.kind),
            "id": format(span.context.span_id, "016x"),
            "parent_id": format(span.parent.span_id, "016x") if span.parent else None,
        }
        for span in exporter.get_finished_spans()
        if format(span.context.trace_id, "032x") == trace_id
    ]


def service(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/spans/"):
        answer = spans(path.split("/")[2])
    else:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        answer = test(environ["wsgi.input"].read(length))
    body = json.dumps(answer).encode()
    start_response("200 OK", [("content-length", str(len(body)))])
    return [body]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


server = make_server("127.0.0.1", 0, OpenTelemetryMiddleware(service), Server, Quiet)
print("listening", server.server_port, flush=True)
server.serve_forever()
