/** A picture of at most so many bytes: first the quality gives way, then the size. */

export interface Shot { body: ArrayBuffer; type: string }
/** Where the last picture ended, for the next to begin with. */
export interface Fit { quality: number; scale: number }
export const FIRST_FIT: Fit = { quality: 0.6, scale: 1 };
export const SNAPSHOT = { width: 320, height: 240 };

const LOWEST_QUALITY = 0.2;
const HIGHEST_QUALITY = 0.75;
const TRIES = 6;

export async function within(
  most_bytes: number, from: Fit, encode: (scale: number, quality: number) => Promise<Blob | null>,
): Promise<{ shot: Shot; fit: Fit } | null> {
  let { quality, scale } = from;
  for (let i = 0; i < TRIES; i++) {
    const blob = await encode(scale, quality);
    if (blob && blob.size <= most_bytes) {
      const fit = {
        quality: blob.size < 0.7 * most_bytes ? Math.min(HIGHEST_QUALITY, quality + 0.05) : quality,
        scale: blob.size < most_bytes / 2 ? Math.min(1, scale / 0.8) : scale,
      };
      return { shot: { body: await blob.arrayBuffer(), type: blob.type }, fit };
    }
    if (quality > LOWEST_QUALITY) quality = Math.max(LOWEST_QUALITY, quality - 0.15);
    else scale *= 0.8;
  }
  return null;
}

/** WebP, or JPEG where the browser gives a PNG instead (Safari, in a page as in a worker): that would never be small enough. */
export async function small(as: (type: string) => Promise<Blob | null>): Promise<Blob | null> {
  const webp = await as("image/webp");
  return webp?.type === "image/webp" ? webp : as("image/jpeg");
}
