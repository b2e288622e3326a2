// A service in Node, instrumented by OpenTelemetry: makes the calls that it is asked for.
// usage: node peer.js FORMAT, with FORMAT one of w3c, b3, b3-single
'use strict';

const { SpanKind, trace } = require('@opentelemetry/api');
const { W3CTraceContextPropagator } = require('@opentelemetry/core');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { B3Propagator, B3InjectEncoding } = require('@opentelemetry/propagator-b3');
const { InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const propagators = {
  w3c: () => new W3CTraceContextPropagator(),
  b3: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
  'b3-single': () => new B3Propagator({ injectEncoding: B3InjectEncoding.SINGLE_HEADER }),
};

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register({ propagator: propagators[process.argv[2]]() });
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });

// After that: what is loaded now is instrumented.
const http = require('http');

function read(stream) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks).toString()));
    stream.on('error', reject);
  });
}

function post(url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST' }, (response) => {
      const answer = read(response);
      if (response.statusCode === 200) {
        answer.then((text) => resolve(JSON.parse(text)), reject);
      } else {
        reject(new Error(`${url} answered ${response.statusCode}`));
      }
    });
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

async function test(request) {
  const { traceId, spanId } = trace.getActiveSpan().spanContext();
  const calls = [];
  for (const call of JSON.parse(await read(request))) {
    calls.push(await post(call.url, call.arguments));
  }
  return { service: 'node', trace_id: traceId, span_id: spanId, calls };
}

const KINDS = { [SpanKind.SERVER]: 'server', [SpanKind.CLIENT]: 'client' };

function spans(traceId) {
  const finished = exporter.getFinishedSpans();
  const ours = finished.filter((span) => span.spanContext().traceId === traceId);
  return ours.map((span) => ({
    service: 'node',
    kind: KINDS[span.kind],
    id: span.spanContext().spanId,
    parent_id: span.parentSpanContext ? span.parentSpanContext.spanId : null,
  }));
}

const server = http.createServer(async (request, response) => {
  try {
    const [, what, which] = request.url.split('/');
    const answer = what === 'spans' ? spans(which) : await test(request);
    response.end(JSON.stringify(answer));
  } catch (error) {
    response.statusCode = 502;
    response.end(String(error));
  }
});

server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
