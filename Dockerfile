# evenhand on a CPU.
#   docker build -t evenhand .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" evenhand demo --out out/demo
# The packages of the program are those of the lock, by hash. Hatchling, which makes the wheel, stays in the first stage.
# They take 5.7 GB. 3.0 GB of them are the CUDA libraries that the torch of the lock needs even on a CPU.
FROM python:3.12.8-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE CITATION.cff CHANGELOG.md ./
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /dist .

FROM python:3.12.8-slim-bookworm
COPY requirements/core.txt /tmp/core.txt
RUN pip install --no-cache-dir --require-hashes --requirement /tmp/core.txt
COPY --from=build /dist /dist
RUN pip install --no-cache-dir --no-deps /dist/*.whl && useradd --create-home --uid 1000 evenhand
USER 1000
WORKDIR /work
ENTRYPOINT ["evenhand"]
CMD ["--help"]
