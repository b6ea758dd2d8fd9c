export default function Page() {
  return <p>A map</p>
}
