"""Prints what the addons given say of themselves, as JSON: their system, processor, C library, what they load and
export. LIEF reads them."""

import hashlib
import json
import struct
import sys

import lief


def elf(binary, _):
    versions = {
        version.name
        for library in binary.symbols_version_requirement
        for version in library.get_auxiliary_symbols()
    }
    flags = binary.get(lief.ELF.DynamicEntry.TAG.FLAGS_1)
    return {
        "format": "ELF",
        "machine": binary.header.machine_type.name,
        "type": binary.header.file_type.name,
        "libraries": binary.libraries,
        "versions": sorted(versions),
        "stays": flags is not None and flags.has(lief.ELF.DynamicEntryFlags.FLAG.NODELETE),
        "exports": [symbol.name for symbol in binary.exported_symbols],
        "imports": [symbol.name for symbol in binary.imported_symbols],
    }


def pe(binary, _):
    return {
        "format": "PE",
        "machine": binary.header.machine.name,
        "type": "DYN" if binary.header.has_characteristic(lief.PE.Header.CHARACTERISTICS.DLL) else "EXEC",
        "libraries": [library.name for library in binary.imports],
        "exports": [function.name for function in binary.exported_functions],
        "imports": [function.name for function in binary.imported_functions],
    }


CODE_DIRECTORY = 0xFADE0C02


def is_signed(binary, content):
    """Whether there is a signature, and each page has the hash that it says: a Mac ends a process whose page has not."""
    if not binary.has_code_signature:
        return False
    signature = content[binary.code_signature.data_offset :]
    (parts,) = struct.unpack_from(">8xI", signature)
    for part in range(parts):
        (offset,) = struct.unpack_from(">I", signature, 16 + 8 * part)
        (magic,) = struct.unpack_from(">I", signature, offset)
        if magic != CODE_DIRECTORY:
            continue
        directory = signature[offset:]
        hashes, pages, end, width, page_bits = struct.unpack_from(">16xI8xIIBxxB", directory)
        size = 1 << page_bits
        return pages > 0 and all(
            hashlib.sha256(content[page * size : min((page + 1) * size, end)]).digest()
            == directory[hashes + page * width : hashes + (page + 1) * width]
            for page in range(pages)
        )
    return False


def mach_o(binary, content):
    build = binary.build_version or binary.version_min
    return {
        "format": "MachO",
        "machine": binary.header.cpu_type.name,
        "type": binary.header.file_type.name,
        "libraries": [
            library.name
            for library in binary.libraries
            if library.command != lief.MachO.LoadCommand.TYPE.ID_DYLIB
        ],
        "system": build and (getattr(build, "minos", None) or getattr(build, "version", None)),
        "signed": is_signed(binary, content),
        "exports": [symbol.name for symbol in binary.exported_symbols],
        "imports": [symbol.name for symbol in binary.imported_symbols],
    }


def describe(path):
    binary = lief.parse(path)
    kinds = {lief.ELF.Binary: elf, lief.PE.Binary: pe, lief.MachO.Binary: mach_o}
    for kind, read in kinds.items():
        if isinstance(binary, kind):
            with open(path, "rb") as file:
                return read(binary, file.read())
    raise ValueError(f"{path} is no binary that LIEF reads")


print(json.dumps([describe(path) for path in sys.argv[1:]]))
