# shellcheck shell=bash
# A Docker engine, and the image of this tree in it. Needs common.sh; `work` is a folder of the caller's, SLUICE_IMAGE
# the image's name. `engine` sets compose_program.

engine_up=$repo/../shared/docker/engine-up
compose_folder=$repo/deploy/compose
engine_started=

engine() {
  local image complete=yes
  if docker info >/dev/null 2>&1; then
    for image in debian:bookworm-slim postgres:16 prom/prometheus:latest; do
      docker image inspect "$image" >/dev/null 2>&1 || complete=no
    done
  else
    complete=no
    engine_started=yes
  fi
  if [ $complete = no ] && [ -x "$engine_up" ]; then
    is_root || die "starting a Docker engine needs root"
    quietly "Docker engine and base images" "$work/engine.log" "$engine_up"
  fi
  docker info >/dev/null 2>&1 || die "no Docker engine runs, and there is no $engine_up to start one"
  if docker compose version >/dev/null 2>&1; then
    compose_program=(docker compose)
  elif have docker-compose; then
    compose_program=(docker-compose)
  else
    die "neither docker compose nor docker-compose is installed"
  fi
  say "engine $(docker version -f '{{.Server.Version}}')," \
    "${compose_program[*]} $("${compose_program[@]}" version --short)"
}

# From what tests/run has built, on top of the image's own first stage.
image() {
  if [ "${1:-}" = --from-source ]; then
    quietly "image from source" "$work/image.log" docker build -t "$SLUICE_IMAGE" -f "$compose_folder/Dockerfile" \
      "$repo"
    return
  fi
  mkdir -p "$work/context/bin" "$work/context/deploy"
  cp -r "$repo/deploy/lib" "$compose_folder" "$work/context/deploy/"
  for name in sluice sluice-control-plane sluice-data-plane sluice-demo-upstream; do
    strip -o "$work/context/bin/$name" "$programs/$name"
  done
  quietly "image of runtime libraries" "$work/image.log" docker build -t sluice-runtime:test --target runtime \
    -f "$work/context/deploy/compose/Dockerfile" "$work/context"
  quietly "image" "$work/image.log" docker build -t "$SLUICE_IMAGE" --build-arg RUNTIME=sluice-runtime:test \
    -f "$work/context/deploy/compose/Dockerfile.prebuilt" "$work/context"
}

# Only an engine that was started here, and only while nobody else has come to run something in it.
stop_engine() {
  [ -n "$engine_started" ] && [ -s /var/run/docker.pid ] || return 0
  local others
  if ! others=$(docker ps -q) || [ -n "$others" ]; then
    warn "the engine that was started here stays: other containers run in it"
    return 0
  fi
  kill "$(cat /var/run/docker.pid)"
  until_true 30 test ! -e /var/run/docker.pid || warn "the engine did not stop"
}
