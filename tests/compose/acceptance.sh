# shellcheck shell=bash
# What every installation must show, asked from outside with curl: used through Compose, and usable against deploy/up.
# Set before: url, secure_url (of one node), ca and admin, a function that is
# the `sluice` client. Needs common.sh.

# status CURL-ARGUMENT...: the answer's status alone.
status() { curl -s -o /dev/null -w '%{http_code}' --max-time 20 "$@" || true; }

expect() {
  local what=$1 wanted=$2 got=$3
  [ "$got" = "$wanted" ] || die "$what: expected $wanted, got $got"
  say "$what: $got"
}

accept_requests() {
  local length=10485761
  expect "a routed request" 200 "$(status "$url/anything")"
  expect "a routed request over TLS" 200 "$(status --cacert "$ca" "$secure_url/anything")"
  expect "no key where one is needed" 401 "$(status "$url/private")"
  expect "an unknown host" 404 "$(status -H 'Host: nobody.gw.localhost' "$url/anything")"
  expect "one byte over 10 MB" 413 "$(head -c $length /dev/zero | status --data-binary @- "$url/anything")"
  expect "the same in chunks" 413 \
    "$(head -c $length /dev/zero | status -H 'Transfer-Encoding: chunked' --data-binary @- "$url/anything")"
}

# 300 requests over one connection to one node: 200 or 429, every 429 says when to come back, and no second has more
# admissions than the limit. A second that began at the first request bounds how many windows there were.
accept_limit() {
  local answers began milliseconds admitted refused bound
  sleep 1.1 # let the window of the requests before this one pass
  answers=$(mktemp)
  began=$(date +%s%3N)
  curl -s -o /dev/null -w '%{http_code} %header{retry-after} %{num_connects}\n' "$url/anything?n=[1-300]" >"$answers"
  milliseconds=$(($(date +%s%3N) - began))
  admitted=$(grep -c '^200 ' "$answers" || true)
  refused=$(grep -cE '^429 [0-9]+ ' "$answers" || true)
  bound=$((100 * (milliseconds / 1000 + 1)))
  rm -f "$answers"
  [ $((admitted + refused)) -eq 300 ] || die "300 requests: $admitted with 200, $refused with 429 and Retry-After"
  if [ "$admitted" -eq 0 ] || [ "$refused" -eq 0 ]; then die "300 requests: $admitted admitted, $refused refused"; fi
  [ "$admitted" -le "$bound" ] ||
    die "$admitted admitted in $milliseconds ms, where 100 a second are the limit"
  say "300 requests in $milliseconds ms: $admitted admitted (at most $bound), $refused refused with Retry-After"
}

accept_refused_plugin() {
  local before after message code=0
  before=$(gateway_version)
  message=$(printf '_format_version: "3.0"\nplugins: [{name: file-log, config: {path: /tmp/requests.log}}]\n' |
    admin apply -g demo -f - 2>&1) || code=$?
  after=$(gateway_version)
  expect "the client's exit code where a plugin is refused" 1 "$code"
  [[ $message == *LOCAL_AGENT* ]] || die "the refusal does not name LOCAL_AGENT: $message"
  expect "the gateway's version after that" "$before" "$after"
}

gateway_version() { admin gateway get demo -o json | jq -r .version; }
