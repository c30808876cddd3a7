"""Every line that ends with `# wrong` must be refused by type checkers, and no other."""

from prism import AsyncPrism, Prism

client = Prism(apikey="k")  # wrong
client = Prism()
client.chat.completions.create(messages=[])  # wrong
client.chat.completions.create(model=1, messages=[])  # wrong
client.chat.completions.create(model="m", messages="hello")  # wrong
client.chat.completions.create(model="m", messages=[{"role": "nobody", "content": "x"}])  # wrong
client.chat.completions.create(model="m", messages=[{"role": "user"}])  # wrong
client.chat.completions.create(model="m", messages=[], temperature="hot")  # wrong
client.chat.completions.create(model="m", messages=[], stream="yes")  # wrong
client.chat.completions.create(model="m", messages=[], tools=[{"type": "function"}])  # wrong
client.chat.completions.create(model="m", messages=[], not_a_parameter=1)  # wrong
client.chat.completions.create(model="m", messages=[]).choices[0].message.contents  # wrong
client.chat.completions.create(model="m", messages=[], stream=True).choices  # wrong
client.chat.completions.create("m", [])  # wrong
client.embeddings.create(model="m", input={"a": 1})  # wrong
client.embeddings.create(model="m", input="x", stream=True)  # wrong
client.rerank.create(model="m", query="q", documents=[5])  # wrong
client.nothing.create()  # wrong
client.models.retrieve()  # wrong
client.with_options(retries=3)  # wrong
client.chat.completions.create(model="m", messages=[], timeout="soon")  # wrong


async def asynchronous(client: AsyncPrism) -> None:
    client.chat.completions.create(model="m", messages=[]).id  # wrong
    await client.models.retrieve(model=None)  # wrong
