# Keeps a Postgres of the tests for as long as its standard input is open, and takes its files away then; so it ends
# with the process that holds the other end, in whatever way that ends. Run by `sh -c`, as the user postgres where one is
# root, with: where the programs are, the port. It answers `ok`, or with what went wrong, at first and to each of the
# words start, stop and crash.
trap '' INT TERM HUP
bin=$1 port=$2
dir=$(mktemp -d /tmp/sottaku-postgres-XXXXXX) && cd "$dir" || exit 1
"$bin/initdb" -D data -A trust -U postgres -E UTF8 --locale=C --no-sync >initdb.log 2>&1 || { cat initdb.log; exit 1; }
start() {
  # What was killed may take a moment to be gone.
  for try in 1 2 3 4 5; do start_once && return 0; sleep 0.3; done
  return 1
}
start_once() {
  "$bin/pg_ctl" -D data -l log -w -t 60 -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$dir \
    -c max_connections=400 -c shared_buffers=64MB -c log_min_messages=panic" start >/dev/null 2>&1 </dev/null
}
stop() { "$bin/pg_ctl" -D data -m immediate -w stop >/dev/null 2>&1 </dev/null; }
crash() {
  first=$(head -n 1 data/postmaster.pid)
  all="$first $(cat /proc/$first/task/$first/children)"
  kill -9 $all
  # Where nobody buries the dead they stay for ever.
  for one in $all; do
    for try in $(seq 50); do kill -0 "$one" 2>/dev/null || break; sleep 0.02; done
  done
}
start && echo ok || { cat log; exit 1; }
while read -r word; do
  case $word in start | stop | crash) "$word" && echo ok || echo no ;; esac
done
stop
cd / && rm -rf "$dir"
