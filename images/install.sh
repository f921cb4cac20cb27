#!/bin/sh
# What both recipes do: Debian's Python and bubblewrap, and tlcourse in /opt/tlcourse.
#   install.sh SOURCE TORCH UV
# SOURCE: a folder with a wheel, or with the source. TORCH: a build of torch as uv calls it (cpu, cu128, rocm6.4, …), or `none`
# for reading, quizzes, authoring, marks and reports alone. UV: the version of the installer.
set -eu
source=$1 torch=$2 uv=$3
for wheel in "$source"/*.whl; do
    [ ! -f "$wheel" ] || source=$wheel
done
export DEBIAN_FRONTEND=noninteractive PIP_ROOT_USER_ACTION=ignore UV_NO_CACHE=1
apt-get update
apt-get install -y --no-install-recommends bubblewrap ca-certificates python3 python3-venv
rm -rf /var/lib/apt/lists/*
python3 -m venv /tmp/uv
/tmp/uv/bin/pip install --no-cache-dir "uv==$uv"
python3 -m venv --without-pip /opt/tlcourse
if [ "$torch" = none ]; then
    /tmp/uv/bin/uv pip install --python /opt/tlcourse/bin/python "tlcourse[web] @ file://$source"
else
    /tmp/uv/bin/uv pip install --python /opt/tlcourse/bin/python --torch-backend "$torch" "tlcourse[lab,web] @ file://$source"
fi
rm -rf /tmp/uv
# one user who is not root: what student code could break is theirs alone
useradd --create-home --uid 1000 tlcourse
/opt/tlcourse/bin/tlcourse --version
