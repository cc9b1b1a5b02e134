"""Choice: one of a few words on the command line; a word that is nearly one of them is answered with that."""

from __future__ import annotations

import click

from blendgen.similar import closest


class Choice(click.Choice):
    def convert(self, value, param, ctx):
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            nearest = closest(str(value), map(str, self.choices))
            if nearest is not None:
                error.message = f"{error.message.rstrip('.')}; did you mean {nearest}?"
            raise
