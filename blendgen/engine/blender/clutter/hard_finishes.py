"""Hard finishes: plastics, metals, prints and paint, each as a function of a Grain and a colour.

Colours are scene-linear. Nothing is flawless: roughness varies, moulded surfaces have a texture, metals are
tumbled or rolled, paint is chipped.
"""

from __future__ import annotations

from blendgen.engine.blender.clutter.grain import Grain

Color = tuple[float, float, float]
_RUST = (0.13, 0.045, 0.018)
_BARE_STEEL = (0.36, 0.35, 0.34)


def plastic(s: Grain, color: Color) -> None:
    """Moulded and fairly glossy, handled."""
    s.set(Base_Color=s.tint(color, s.cloud(60.0, 0.93, 1.04)), Roughness=s.cloud(200.0, 0.2, 0.34, 3.0))
    s.bump(s.cloud(700.0, 0.0, 0.003, seed=2.0))


def gloss(s: Grain, color: Color) -> None:
    s.set(
        Base_Color=color, Roughness=s.cloud(420.0, 0.1, 0.22, 3.0, 4.0), Coat_Weight=0.3, Coat_Roughness=0.08
    )
    s.bump(s.cloud(500.0, 0.0, 0.003, seed=2.0))


def satin(s: Grain, color: Color) -> None:
    """Spark-eroded mould: a fine matte texture, polished a little where it is touched."""
    s.set(Base_Color=s.tint(color, s.cloud(45.0, 0.92, 1.05)), Roughness=s.cloud(180.0, 0.42, 0.6, 3.0))
    s.bump(s.cloud(3200.0, 0.0, 0.012, 1.0))


def broken(s: Grain, color: Color) -> None:
    """Fracture of a plastic: stress-whitened, rough."""
    pale = s.mix(s.cloud(500.0, 0.0, 0.45, 3.0), color, (0.7, 0.7, 0.68))
    s.set(Base_Color=pale, Roughness=s.cloud(700.0, 0.5, 0.8))
    s.bump(s.cloud(900.0, 0.0, 0.12, 4.0))


def nylon(s: Grain, color: Color) -> None:
    s.set(Base_Color=s.tint(color, s.cloud(70.0, 0.9, 1.05)), Roughness=s.cloud(300.0, 0.34, 0.5))
    s.set(Subsurface_Weight=0.15, Subsurface_Radius=(0.002, 0.002, 0.002), Subsurface_Scale=1.0)
    s.bump(s.cloud(1500.0, 0.0, 0.006))


def metal(s: Grain, color: Color) -> None:
    """Plated and tumbled in bulk: small dents, varying roughness, dull patches."""
    dull = s.cloud(140.0, 0.0, 1.0, 3.0, 1.0)
    s.set(Metallic=1.0, Base_Color=s.tint(color, s.mix_value(dull, 1.0, 0.86)))
    s.set(Roughness=s.sum(s.mix_value(dull, 0.2, 0.31), s.cloud(1500.0, -0.02, 0.04)))
    s.bump(s.sum(s.cloud(420.0, 0.0, 0.006, 1.0), s.cloud(1800.0, 0.0, 0.0015)))


def coin(s: Grain, color: Color) -> None:
    """Worn: bright where it is high and touched, tarnished elsewhere."""
    tarnish = s.cloud(330.0, 0.0, 1.0, 5.0, 1.0, 0.65)
    s.set(Metallic=1.0, Base_Color=s.tint(color, s.mix_value(tarnish, 1.0, 0.5)))
    s.set(Roughness=s.mix_value(tarnish, 0.22, 0.42))
    s.bump(s.cloud(1600.0, 0.0, 0.008, 2.0))


def oxide(s: Grain, color: Color) -> None:
    """Blackened steel, oiled."""
    s.set(
        Metallic=0.7,
        Base_Color=s.tint(color, s.cloud(260.0, 0.7, 1.5, 3.0)),
        Roughness=s.cloud(400.0, 0.3, 0.5),
    )
    s.bump(s.cloud(900.0, 0.0, 0.008))


def foil(s: Grain, color: Color) -> None:
    s.set(
        Metallic=1.0,
        Base_Color=color,
        Roughness=s.cloud(200.0, 0.2, 0.32),
        Coat_Weight=0.5,
        Coat_Roughness=0.12,
    )


def lacquer(s: Grain, color: Color) -> None:
    """Printed sheet metal under clear varnish."""
    s.set(
        Metallic=0.55,
        Base_Color=s.tint(color, s.cloud(120.0, 0.9, 1.05)),
        Roughness=s.cloud(300.0, 0.26, 0.38),
    )
    s.set(Coat_Weight=0.8, Coat_Roughness=0.1)
    s.bump(s.cloud(700.0, 0.0, 0.01))


def printed(s: Grain, color: Color) -> None:
    """A printed sleeve or label: a block of lines of small type in a contrasting tone, varnished."""
    x, y, _ = s.split(s.point)
    column, row = s.product(y, 1 / 0.0011), s.product(x, 1 / 0.0019)
    letter = s.random(s.math("FLOOR", column), s.math("FLOOR", row))
    wide = s.math("LESS_THAN", s.math("FRACT", column), s.ramp(letter, 0.0, 1.0, 0.45, 0.85))
    tall = s.math("LESS_THAN", s.math("FRACT", row), 0.5)
    line = s.random(s.math("FLOOR", row), 3.0)
    within = s.math("LESS_THAN", s.math("ABSOLUTE", s.sum(y, -0.002)), s.ramp(line, 0.0, 1.0, 0.003, 0.011))
    ink = s.product(wide, tall, within, s.math("GREATER_THAN", letter, 0.2))
    paper = sum(color) / 3 > 0.3
    tone = tuple(0.25 * c for c in color) if paper else tuple(0.5 + 0.4 * c for c in color)
    s.set(Base_Color=s.mix(s.product(ink, 0.85), color, tone), Roughness=s.cloud(300.0, 0.26, 0.4))
    s.set(Coat_Weight=0.4, Coat_Roughness=0.15)


def brushed(s: Grain, color: Color) -> None:
    """Ground round bar: fine lines round the axis x, and scratches from use."""
    lines = s.noise((1800.0, 25.0, 25.0), 3.0, 0.6, space="3D")
    mark = s.product(s.scratches(0.5, 7.0, (80.0, 55.0, -70.0), 9), 0.5)
    s.set(Metallic=1.0, Base_Color=s.tint(color, s.cloud(25.0, 0.82, 1.02, 3.0)))
    s.set(Roughness=s.sum(s.ramp(lines, 0.3, 0.7, 0.2, 0.36), s.product(mark, 0.15)), Anisotropic=0.4)
    s.bump(s.sum(s.product(lines, 0.006), s.product(mark, -0.01)))


def mill(s: Grain, color: Color) -> None:
    """Rolled sheet in use: lanes polished bright, scratches along the flow (y), spots of rust."""
    lane = s.noise((22.0, 1.6, 22.0), 3.0, 0.6, 5.0, space="3D")
    bright = s.ramp(lane, 0.36, 0.64)
    mark = s.scratches(0.7, 11.0, (3.0, -9.0, 24.0), 22)
    rust = s.flecks(26.0, (0.03, 0.2), 0.35, 3.0)
    steel = s.tint(color, s.sum(s.mix_value(bright, 0.62, 1.0), s.product(mark, 0.2)))
    s.set(Base_Color=s.mix(rust, steel, _RUST), Metallic=s.ramp(rust, 0.0, 1.0, 1.0, 0.0))
    s.set(Roughness=s.math("MAXIMUM", s.mix_value(bright, 0.5, 0.27), s.product(rust, 0.9)))
    s.bump(s.sum(s.cloud(140.0, 0.0, 0.03), s.product(mark, -0.02), s.product(rust, 0.04)))


def galvanised(s: Grain, color: Color) -> None:
    """Hot-dip zinc: spangles as large as finger nails, dull bloom, scratches."""
    spangle = s.node(
        "ShaderNodeTexVoronoi",
        {"Vector": s.scaled(s.point, 75.0, 1.0), "Scale": 1.0},
        voronoi_dimensions="3D",
    ).outputs["Color"]
    tone = s.node("ShaderNodeSeparateColor", {"Color": spangle}).outputs["Red"]
    bloom = s.cloud(30.0, 0.0, 0.6, 4.0, 2.0, 0.65)
    mark = s.scratches(0.6, 5.0, (5.0, -14.0, 40.0), 18)
    zinc = s.tint(color, s.sum(s.ramp(tone, 0.0, 1.0, 0.84, 1.0), s.product(mark, 0.12)))
    s.set(Metallic=s.ramp(bloom, 0.0, 1.0, 1.0, 0.6), Base_Color=zinc)
    s.set(Roughness=s.sum(s.ramp(tone, 0.0, 1.0, 0.34, 0.42), s.product(bloom, 0.2)))
    s.bump(s.sum(s.cloud(90.0, 0.0, 0.03), s.product(mark, -0.01)))


def painted(s: Grain, color: Color) -> None:
    """Powder coat over steel: orange peel, grime in soft clouds, chips down to metal, some rusty."""
    chip = s.math("MAXIMUM", s.flecks(34.0, (0.03, 0.19), 0.4, 8.0), s.flecks(9.0, (0.04, 0.2), 0.16, 2.0))
    mark = s.product(s.scratches(0.6, 31.0, (12.0, -35.0, 70.0), 14), 0.6)
    grime = s.math("MAXIMUM", s.cloud(16.0, -0.1, 0.35, 5.0, 6.0, 0.68), s.product(s.stains(0.3, 4.0), 0.35))
    paint = s.mix(s.math("MAXIMUM", grime, 0.0), s.tint(color, s.cloud(9.0, 0.92, 1.03)), (0.05, 0.045, 0.04))
    bare = s.mix(s.cloud(300.0, 0.0, 1.0, 3.0), _BARE_STEEL, _RUST)
    s.set(Base_Color=s.mix(chip, s.mix(mark, paint, (0.32, 0.31, 0.3)), bare))
    s.set(Roughness=s.math("MAXIMUM", s.cloud(70.0, 0.28, 0.5, 3.0), s.product(chip, 0.6)))
    s.set(Metallic=s.product(chip, 0.4))
    s.bump(s.sum(s.cloud(450.0, 0.0, 0.02), s.product(chip, -0.12), s.product(mark, -0.02)))
