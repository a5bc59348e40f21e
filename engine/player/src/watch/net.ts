/**
 * Finds faces in a small picture: the tiny detector and the tiny 68 points whose weights ship in @vladmandic/face-api, run
 * here in some sixty lines of plain arithmetic, because a runtime for any network weighs a megabyte and this page forty
 * kilobytes. It counts faces and sees whether one is turned away; it recognises nobody and nothing (SAFETY D6, R2).
 */

/** A layer's output: height × width × channels, rows first. */
interface Tensor { h: number; w: number; c: number; data: Float32Array }
export interface Weights { name: string; shape: number[]; quantization: { scale: number; min: number } }
export interface Face { x: number; y: number; w: number; h: number; score: number }
type Params = Map<string, Float32Array>;

const DETECTOR_MEAN = [117.001, 114.697, 97.404] as const;
const POINTS_MEAN = [122.782, 117.001, 104.298] as const;
const ANCHORS = [[1.603231, 2.094468], [6.041143, 7.080126], [2.882459, 3.518061], [4.266906, 5.178857], [9.041765, 10.66308]] as const;
const SURE = 0.5;
const SAME_FACE = 0.3;
const POINTS_SIDE = 112;
/** Nose to one side of the jaw, of nose to the other: below this a head is turned far away. */
const TURNED = 0.3;

/** Weights as they lie in the file: a byte each. */
export function unpack(list: readonly Weights[], bytes: Uint8Array): Params {
  const params: Params = new Map();
  let at = 0;
  for (const { name, shape, quantization: { scale, min } } of list) {
    const count = shape.reduce((product, side) => product * side, 1);
    params.set(name, Float32Array.from(bytes.subarray(at, at + count), (byte) => byte * scale + min));
    at += count;
  }
  return params;
}

export function findFaces(params: Params, image: ImageData): Face[] {
  const side = Math.max(image.width, image.height);
  let out = leaky(conv(normal(image, side, side, DETECTOR_MEAN), get(params, "conv0/filters"), get(params, "conv0/bias"), 1, 0));
  for (const layer of [1, 2, 3, 4, 5]) out = leaky(separable(pool(out, 2), params, `conv${layer}`, 1));
  const cells = pointwise(pool(out, 1), get(params, "conv8/filters"), get(params, "conv8/bias"));
  const faces: Face[] = [];
  for (let row = 0; row < cells.h; row++) {
    for (let col = 0; col < cells.w; col++) {
      ANCHORS.forEach(([width, height], anchor) => {
        const [dx = 0, dy = 0, dw = 0, dh = 0, said = 0] = cells.data.subarray((row * cells.w + col) * cells.c + anchor * 5);
        const score = sigmoid(said);
        if (score < SURE) return;
        const w = (Math.exp(dw) * width * side) / cells.w;
        const h = (Math.exp(dh) * height * side) / cells.h;
        faces.push({ x: ((col + sigmoid(dx)) * side) / cells.w - w / 2, y: ((row + sigmoid(dy)) * side) / cells.h - h / 2, w, h, score });
      });
    }
  }
  return apart(faces);
}

/** Whether the nearest face looks far to the side. */
export function isTurned(params: Params, image: ImageData, face: Face): boolean {
  let out = normal(cropped(image, face), POINTS_SIDE, POINTS_SIDE, POINTS_MEAN);
  for (const block of [0, 1, 2]) out = dense(out, params, `dense${block}`, block === 0);
  const mean = new Float32Array(out.c);
  out.data.forEach((value, i) => { mean[i % out.c] = (mean[i % out.c] ?? 0) + value / (out.h * out.w); });
  const points = pointwise({ h: 1, w: 1, c: out.c, data: mean }, get(params, "fc/weights"), get(params, "fc/bias")).data;
  const x = (point: number) => points[2 * point] ?? 0;
  const [left, right] = [Math.max(0, x(30) - x(0)), Math.max(0, x(16) - x(30))];
  return Math.min(left, right) / Math.max(left, right, 0.001) < TURNED;
}

// ---- layers

function get(params: Params, name: string): Float32Array {
  const found = params.get(name);
  if (!found) throw new Error(`net: no ${name}`);
  return found;
}

/** The picture at the top left of a black square, colours around the mean. */
function normal({ width, height, data }: ImageData, h: number, w: number, mean: readonly [number, number, number]): Tensor {
  const out = new Float32Array(h * w * 3);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = x < width && y < height ? (y * width + x) * 4 : -1;
      for (let c = 0; c < 3; c++) out[(y * w + x) * 3 + c] = ((from < 0 ? 0 : data[from + c] ?? 0) - (mean[c] ?? 0)) / 255;
    }
  }
  return { h, w, c: 3, data: out };
}

/** 3 × 3 over all channels; `pad` rows and columns of nothing before, as many as needed after. */
function conv(x: Tensor, filters: Float32Array, bias: Float32Array, stride: number, pad: 0 | 1, out_side?: number): Tensor {
  const c = bias.length;
  const h = out_side ?? x.h - 2 + 2 * pad;
  const w = out_side ?? x.w - 2 + 2 * pad;
  const out = new Float32Array(h * w * c);
  for (let y = 0; y < h; y++) {
    for (let col = 0; col < w; col++) {
      const at = (y * w + col) * c;
      out.set(bias, at);
      for (let k = 0; k < 9; k++) {
        const sy = y * stride + Math.floor(k / 3) - pad;
        const sx = col * stride + (k % 3) - pad;
        if (sy < 0 || sx < 0 || sy >= x.h || sx >= x.w) continue;
        for (let ci = 0; ci < x.c; ci++) {
          const value = x.data[(sy * x.w + sx) * x.c + ci]!;
          const weight = (k * x.c + ci) * c;
          for (let co = 0; co < c; co++) out[at + co]! += value * filters[weight + co]!;
        }
      }
    }
  }
  return { h, w, c, data: out };
}

/** Each channel by its own 3 × 3, then all channels point by point. An even side halved has its margin after, not before. */
function separable(x: Tensor, params: Params, name: string, stride: 1 | 2): Tensor {
  const filter = get(params, `${name}/depthwise_filter`);
  const pad = stride === 1 ? 1 : 0;
  const h = Math.ceil(x.h / stride);
  const w = Math.ceil(x.w / stride);
  const out = new Float32Array(h * w * x.c);
  for (let y = 0; y < h; y++) {
    for (let col = 0; col < w; col++) {
      const at = (y * w + col) * x.c;
      for (let k = 0; k < 9; k++) {
        const sy = y * stride + Math.floor(k / 3) - pad;
        const sx = col * stride + (k % 3) - pad;
        if (sy < 0 || sx < 0 || sy >= x.h || sx >= x.w) continue;
        const from = (sy * x.w + sx) * x.c;
        for (let c = 0; c < x.c; c++) out[at + c]! += x.data[from + c]! * filter[k * x.c + c]!;
      }
    }
  }
  return pointwise({ h, w, c: x.c, data: out }, get(params, `${name}/pointwise_filter`), get(params, `${name}/bias`));
}

function pointwise(x: Tensor, filter: Float32Array, bias: Float32Array): Tensor {
  const c = bias.length;
  const out = new Float32Array(x.h * x.w * c);
  for (let point = 0; point < x.h * x.w; point++) {
    const at = point * c;
    out.set(bias, at);
    for (let ci = 0; ci < x.c; ci++) {
      const value = x.data[point * x.c + ci]!;
      if (value === 0) continue;
      const weight = ci * c;
      for (let co = 0; co < c; co++) out[at + co]! += value * filter[weight + co]!;
    }
  }
  return { h: x.h, w: x.w, c, data: out };
}

/** The greatest of 2 × 2. */
function pool(x: Tensor, stride: 1 | 2): Tensor {
  const h = Math.ceil(x.h / stride);
  const w = Math.ceil(x.w / stride);
  const out = new Float32Array(h * w * x.c).fill(-Infinity);
  for (let y = 0; y < h; y++) {
    for (let col = 0; col < w; col++) {
      for (let k = 0; k < 4; k++) {
        const sy = y * stride + (k >> 1);
        const sx = col * stride + (k & 1);
        if (sy >= x.h || sx >= x.w) continue;
        for (let c = 0; c < x.c; c++) {
          const at = (y * w + col) * x.c + c;
          out[at] = Math.max(out[at]!, x.data[(sy * x.w + sx) * x.c + c]!);
        }
      }
    }
  }
  return { h, w, c: x.c, data: out };
}

function dense(x: Tensor, params: Params, name: string, first: boolean): Tensor {
  const one = relu(first
    ? conv(x, get(params, `${name}/conv0/filters`), get(params, `${name}/conv0/bias`), 2, 0, x.h / 2)
    : separable(x, params, `${name}/conv0`, 2));
  const two = separable(one, params, `${name}/conv1`, 1);
  const three = separable(relu(sum(one, two)), params, `${name}/conv2`, 1);
  return relu(sum(one, sum(two, three)));
}

const leaky = (x: Tensor): Tensor => ({ ...x, data: x.data.map((value) => (value < 0 ? 0.1 * value : value)) });
const relu = (x: Tensor): Tensor => ({ ...x, data: x.data.map((value) => (value < 0 ? 0 : value)) });
const sum = (a: Tensor, b: Tensor): Tensor => ({ ...a, data: a.data.map((value, i) => value + b.data[i]!) });
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

// ---- boxes

/** Of boxes that lie over each other the surest one; nearest face first. */
function apart(faces: Face[]): Face[] {
  const kept: Face[] = [];
  for (const face of faces.sort((a, b) => b.score - a.score)) if (kept.every((one) => overlap(one, face) < SAME_FACE)) kept.push(face);
  return kept.sort((a, b) => b.w * b.h - a.w * a.h);
}

function overlap(a: Face, b: Face): number {
  const w = Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x));
  const h = Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));
  return (w * h) / (a.w * a.h + b.w * b.h - w * h);
}

/** The face alone, stretched into the square that the points want, black bars where it is narrower. */
function cropped(image: ImageData, face: Face): ImageData {
  const side = Math.max(face.w, face.h);
  const [left, top] = [face.x - (side - face.w) / 2, face.y - (side - face.h) / 2];
  const data = new Uint8ClampedArray(POINTS_SIDE * POINTS_SIDE * 4);
  for (let y = 0; y < POINTS_SIDE; y++) {
    for (let x = 0; x < POINTS_SIDE; x++) {
      const sx = left + ((x + 0.5) * side) / POINTS_SIDE - 0.5;
      const sy = top + ((y + 0.5) * side) / POINTS_SIDE - 0.5;
      if (sx < face.x || sy < face.y || sx > face.x + face.w || sy > face.y + face.h) continue;
      for (let c = 0; c < 3; c++) data[(y * POINTS_SIDE + x) * 4 + c] = between(image, sx, sy, c);
    }
  }
  return { width: POINTS_SIDE, height: POINTS_SIDE, data } as ImageData;
}

/** Between four points of the picture. */
function between({ width, height, data }: ImageData, x: number, y: number, c: number): number {
  const at = (col: number, row: number) => data[(Math.min(height - 1, Math.max(0, row)) * width + Math.min(width - 1, Math.max(0, col))) * 4 + c] ?? 0;
  const [col, row] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - col, y - row];
  return (at(col, row) * (1 - fx) + at(col + 1, row) * fx) * (1 - fy) + (at(col, row + 1) * (1 - fx) + at(col + 1, row + 1) * fx) * fy;
}
