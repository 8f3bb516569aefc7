/** Which port it is, as it is configured, and the device file behind it; `device` is null while that is not known. */
export const portPlace = (wanted: string, device: string | null): string =>
  device === null || device === wanted ? wanted : `${wanted}, ${device}`;
