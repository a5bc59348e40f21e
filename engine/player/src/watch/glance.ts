/** What a frame of 32 × 24 points tells: how light it is, and whether it is the very same as one before. */

export interface Glance { light: number; mark: string }

/** Mean lightness below which a face can hardly be seen, of 255. */
const DARK = 32;

export function glance(image: ImageData | null): Glance | null {
  if (!image) return null;
  const { data } = image;
  let sum = 0;
  // FNV-1a over the raw points: a real sensor's noise changes it with each frame.
  let mark = 0x811c9dc5;
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue] = [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0];
    sum += 0.299 * red + 0.587 * green + 0.114 * blue;
    mark = Math.imul(mark ^ (red + (green << 8) + (blue << 16)), 0x01000193) >>> 0;
  }
  return { light: Math.round(sum / (data.length / 4)), mark: mark.toString(16) };
}

export function isDark({ light }: Glance): boolean {
  return light < DARK;
}
