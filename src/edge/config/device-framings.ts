import type { DecoderName, FramingName } from '../registry.ts';

/** The framings of one kind of device, and the decoder of what they give. */
export const decoderFor: Readonly<Partial<Record<FramingName, DecoderName>>> = {
  telegram: 'dsmr',
  sds011: 'sds011',
  pms5003: 'pms5003',
  'mh-z19': 'mh-z19',
};

/** The framing of a kind of device, by its decoder; undefined for a decoder that is not of one. */
export const framingFor = (decoder: DecoderName): FramingName | undefined =>
  (Object.keys(decoderFor) as FramingName[]).find((framing) => decoderFor[framing] === decoder);
