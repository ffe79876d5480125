# shellcheck shell=bash
# Configures and builds a preset. Needs common.sh.

# build_preset PRESET LOG [TARGET...]: every target where none is named. Nothing happens where nothing changed.
build_preset() {
  local preset=$1 log=$2 target arguments=()
  shift 2
  for target in "$@"; do arguments+=(--target "$target"); done
  # What precompiled headers need to be found in the cache, from any folder.
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime CCACHE_BASEDIR=$repo
  mkdir -p "$repo/build"
  (
    cd "$repo" || exit
    quietly "configuring $preset" "$log" cmake --preset "$preset"
    quietly "building $preset" "$log" cmake --build --preset "$preset" -j "$(nproc)" "${arguments[@]}"
  )
}
