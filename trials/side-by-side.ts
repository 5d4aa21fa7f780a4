/** Carries out one thing for each item, at most `lanes` at once; results in the order of the items. */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  lanes: number,
  act: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await act(items[index] as Item, index);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
