# blendgen and its Blender, for render farms; docs/farms.md describes it:
# docker build -t blendgen --build-arg EXTRAS=cad,heic .
FROM python:3.13-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="blendgen" \
      org.opencontainers.image.description="Synthetic training data with Blender" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"

# the list of `blendgen doctor`; Debian keeps only the newest version of a package, so none is pinned
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    libegl1 libgl1 libice6 libsm6 libx11-6 libxfixes3 libxi6 libxkbcommon0 libxrender1 \
 && rm -rf /var/lib/apt/lists/*

# extras of blendgen, with commas: cad, heic, parquet, audit, ray
ARG EXTRAS=""
# with the wheel of Blender, so that no machine of a farm downloads anything
# hadolint ignore=DL3013
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    for wheel in /wheels/*.whl; do python -m pip install --no-cache-dir "${wheel}${EXTRAS:+[$EXTRAS]}"; done
COPY LICENSE /usr/share/licenses/blendgen/

# Kubernetes compares the number; a volume needs a group with the same one
RUN useradd --uid 1000 --create-home blendgen
USER 1000
WORKDIR /home/blendgen
# of the NVIDIA container runtime: graphics brings OptiX and EGL
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
RUN blendgen doctor
ENTRYPOINT ["blendgen"]
CMD ["--help"]
