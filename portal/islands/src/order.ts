/** Which of a row of places may stay where they are, so that the others, moved, make it rise: the longest rising part of it. */
export function fewestMoves(places: readonly number[]): Set<number> {
  // For each length the smallest end of a rising part of that length, and what came before each place.
  const ends: number[] = [];
  const before = new Map<number, number | undefined>();
  for (const place of places) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] as number) < place) low = middle + 1;
      else high = middle;
    }
    before.set(place, ends[low - 1]);
    ends[low] = place;
  }
  const stays = new Set<number>();
  for (let place = ends[ends.length - 1]; place !== undefined; place = before.get(place)) stays.add(place);
  return stays;
}
