"""Soft finishes: rubber, board, paper, tapes and fabrics of gloves; each a function of a Grain and a colour.

Colours are scene-linear. Films and curtains let light through: for shadow rays they are plain tinted filters,
because renders do not trace caustics.
"""

from __future__ import annotations

from blendgen.engine.blender.clutter.grain import Grain

Color = tuple[float, float, float]


def rubber(s: Grain, color: Color) -> None:
    """PVC cable jacket: semi-matte, a little dusty."""
    dusty = s.cloud(55.0, -0.03, 0.1, 5.0, 1.0, 0.65)
    s.set(Base_Color=s.mix(s.math("MAXIMUM", dusty, 0.0), color, (0.3, 0.28, 0.26)))
    s.set(Roughness=s.cloud(260.0, 0.4, 0.58, 3.0))
    s.bump(s.cloud(1400.0, 0.0, 0.008))


def latex(s: Grain, color: Color) -> None:
    """Rubber band: talc on it, cut edges."""
    talc = s.cloud(180.0, 0.0, 0.12, 4.0)
    s.set(Base_Color=s.mix(talc, color, (0.62, 0.58, 0.52)), Roughness=s.cloud(300.0, 0.5, 0.72))
    s.set(Subsurface_Weight=0.2, Subsurface_Radius=(0.002, 0.001, 0.0006), Subsurface_Scale=1.0)
    s.bump(s.cloud(1100.0, 0.0, 0.02, 3.0))


def kraft(s: Grain, color: Color) -> None:
    """Liner board: fibres along the machine (y), darker and lighter flecks, creases."""
    fibre = s.noise((1700.0, 260.0, 1700.0), 3.0, 0.65, space="3D")
    tone = s.sum(s.ramp(fibre, 0.3, 0.7, 0.86, 1.08), s.cloud(35.0, -0.07, 0.05, 3.0, 3.0))
    fleck = s.product(s.flecks(3.6, (0.05, 0.16), 0.35, 5.0), 0.35)
    s.set(Base_Color=s.mix(fleck, s.tint(color, tone), tuple(0.4 * c for c in color)), Roughness=0.88)
    s.set(Specular_IOR_Level=0.25)
    s.bump(s.sum(s.product(fibre, 0.05), s.cloud(120.0, 0.0, 0.06)))


def paper(s: Grain, color: Color) -> None:
    s.set(Base_Color=s.tint(color, s.cloud(60.0, 0.94, 1.03)), Roughness=0.85, Specular_IOR_Level=0.3)
    s.bump(s.sum(s.cloud(1400.0, 0.0, 0.015, 3.0), s.cloud(160.0, 0.0, 0.12, 3.0, 2.0)))


def tape(s: Grain, color: Color) -> None:
    """A wound roll: glossy outside, thousands of layers on its sides."""
    radius = s.radius()
    layer = s.noise((2600.0, 0.0, 0.0), 4.0, 0.75, at=s.combine(radius, 0.0, 0.0), space="3D")
    s.set(Base_Color=s.tint(color, s.sum(s.ramp(layer, 0.3, 0.7, 0.72, 1.1), s.cloud(40.0, -0.08, 0.05))))
    s.set(Roughness=s.cloud(240.0, 0.16, 0.32, 3.0), Coat_Weight=0.4, Coat_Roughness=0.08)
    s.bump(s.sum(s.product(layer, 0.06), s.cloud(90.0, 0.0, 0.04, 3.0)))


def film(s: Grain, color: Color) -> None:
    """Adhesive film, seen through, with bubbles under it."""
    bubble = s.flecks(4.5, (0.1, 0.34), 0.4, 2.0)
    s.set(Base_Color=s.mix(s.product(bubble, 0.25), color, (0.8, 0.78, 0.74)))
    s.set(Alpha=s.sum(0.62, s.product(bubble, 0.2)), Roughness=s.cloud(300.0, 0.1, 0.28, 3.0))
    s.bump(s.sum(s.product(bubble, 0.03), s.cloud(110.0, 0.0, 0.06, 3.0)))


def masking(s: Grain, color: Color) -> None:
    """Creped paper: fine wrinkles across."""
    crepe = s.noise((240.0, 1300.0, 240.0), 2.0, 0.6, space="3D")
    s.set(Base_Color=s.tint(color, s.ramp(crepe, 0.3, 0.7, 0.88, 1.06)), Roughness=s.cloud(400.0, 0.55, 0.75))
    s.bump(s.product(crepe, 0.09))


def cloth_tape(s: Grain, color: Color) -> None:
    """Silver cloth tape: a scrim shows through the polyethylene."""
    x, y, _ = s.split(s.point)
    thread = s.math("MAXIMUM", s.wave(x, 700.0), s.wave(y, 420.0))
    s.set(
        Base_Color=s.tint(color, s.cloud(80.0, 0.9, 1.05)),
        Metallic=0.25,
        Roughness=s.cloud(300.0, 0.32, 0.46),
    )
    s.bump(s.sum(s.product(thread, 0.025), s.cloud(200.0, 0.0, 0.03)))


def pvc(s: Grain, color: Color) -> None:
    """Strip curtain: clear and tinted, wavy, scuffed and hazy where things rub along it."""
    scuff = s.ramp(s.noise((60.0, 5.0, 60.0), 4.0, 0.7, 3.0, space="3D"), 0.45, 0.75)
    # light passes two surfaces
    s.set(Base_Color=tuple(c**0.5 for c in color), IOR=1.5)
    s.set(Transmission_Weight=s.ramp(scuff, 0.0, 1.0, 0.97, 0.8))
    s.set(Roughness=s.mix_value(scuff, 0.03, 0.3))
    s.bump(s.sum(s.cloud(28.0, 0.0, 0.25, 2.0), s.product(scuff, 0.02)))
    _shadow_filter(s, tuple(0.9 * c**0.5 for c in color))


def _shadow_filter(s: Grain, color: Color) -> None:
    """Shadow rays pass straight through, tinted."""
    output = next(node for node in s.tree.nodes if node.type == "OUTPUT_MATERIAL")
    clear = s.node("ShaderNodeBsdfTransparent", {"Color": color}).outputs["BSDF"]
    mix = s.node("ShaderNodeMixShader", {"Fac": s.node("ShaderNodeLightPath").outputs["Is Shadow Ray"]})
    s.tree.links.new(s.principled.outputs["BSDF"], mix.inputs[1])
    s.tree.links.new(clear, mix.inputs[2])
    s.tree.links.new(mix.outputs["Shader"], output.inputs["Surface"])


def nitrile(s: Grain, color: Color) -> None:
    """Thin glove: satin, paler where it is stretched, wrinkled across, with a gripping texture."""
    stretched = s.cloud(38.0, -0.2, 0.5, 2.0, 3.0)
    pale = tuple(0.8 * c + 0.06 for c in color)
    s.set(Base_Color=s.mix(s.math("MAXIMUM", stretched, 0.0), color, pale))
    s.set(Roughness=s.cloud(120.0, 0.34, 0.52, 3.0), Specular_IOR_Level=0.45)
    wrinkle = s.noise((85.0, 240.0, 85.0), 3.0, 0.55, 6.0, space="3D")
    s.bump(s.sum(s.product(s.ramp(wrinkle, 0.42, 0.62), 0.28), s.product(s.pebbles(900.0), 0.05)))


def leather(s: Grain, color: Color) -> None:
    """Work glove of grain leather: pores, creases, dirt."""
    pore = s.ramp(s.pebbles(650.0), 0.1, 0.6)
    crease = s.ramp(s.noise((130.0, 330.0, 130.0), 4.0, 0.6, 2.0, space="3D"), 0.4, 0.6)
    dirt = s.math("MAXIMUM", s.cloud(30.0, -0.25, 0.55, 5.0, 4.0, 0.66), 0.0)
    skin = s.tint(color, s.sum(s.ramp(crease, 0.0, 1.0, 0.8, 1.03), s.cloud(90.0, -0.08, 0.06)))
    s.set(Base_Color=s.mix(dirt, skin, (0.06, 0.045, 0.03)), Roughness=s.cloud(160.0, 0.55, 0.8, 3.0))
    s.bump(s.sum(s.product(pore, 0.12), s.product(crease, 0.35)))


def knit(s: Grain, color: Color) -> None:
    """Jersey knit: columns of V stitches, dirty."""
    x, y, z = s.split(s.point)
    wale = s.math("PINGPONG", s.product(s.sum(x, z), 1 / 0.0017), 0.5)
    stitch = s.wave(s.sum(y, s.product(wale, 0.0022)), 1 / 0.0022)
    yarn = s.product(stitch, s.ramp(wale, 0.0, 0.14))
    dirt = s.math("MAXIMUM", s.cloud(26.0, -0.2, 0.5, 5.0, 4.0, 0.66), 0.0)
    wool = s.tint(color, s.sum(s.ramp(yarn, 0.0, 1.0, 0.5, 1.05), s.cloud(1500.0, -0.1, 0.1)))
    s.set(Base_Color=s.mix(dirt, wool, (0.07, 0.06, 0.05)), Roughness=0.9, Specular_IOR_Level=0.2)
    s.set(Sheen_Weight=0.15)
    s.bump(s.sum(s.product(yarn, 0.6), s.cloud(1600.0, 0.0, 0.1)))


def fabric(s: Grain, color: Color) -> None:
    """Twill of a work jacket, faded on its folds."""
    x, y, z = s.split(s.point)
    twill = s.wave(s.sum(x, s.product(y, 0.9), z), 1 / 0.0016)
    tone = s.sum(
        s.ramp(twill, 0.0, 1.0, 0.85, 1.02), s.cloud(30.0, -0.12, 0.14, 4.0), s.cloud(900.0, -0.08, 0.08)
    )
    s.set(Base_Color=s.tint(color, tone), Roughness=0.88, Specular_IOR_Level=0.2, Sheen_Weight=0.15)
    s.bump(s.sum(s.product(twill, 0.12), s.cloud(60.0, 0.0, 0.9, 3.0)))
