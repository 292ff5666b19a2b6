import http from 'k6/http';

const body = open(__ENV.BODY);
const rate = Number(__ENV.RATE);
const traffic = rate
  ? { executor: 'constant-arrival-rate', rate, timeUnit: '1s', preAllocatedVUs: 64, maxVUs: 64 }
  : { executor: 'constant-vus', vus: 64 };

export const options = { discardResponseBodies: true, scenarios: { traffic: { ...traffic, duration: __ENV.LENGTH } } };

export default function () {
  http.post(__ENV.URL, body, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
}
