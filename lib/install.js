'use strict'

// Methods of a class that live in other files: each file exports a function that makes them, and the class lists those.

/**
 * Access of TypedMap's methods to the private state of their map.
 *
 * @typedef {object} Access
 * @property {(map: any) => any} openOf the map's `OpenMap` in this thread
 * @property {(map: any) => any} roomOf its `RoomMaker`, which makes room when it is full
 */

/**
 * Adds methods and accessors to a prototype as a class body would: not enumerable, with their own names and lengths,
 * and not constructors.
 *
 * @param {object} prototype
 * @param {readonly ((access: Access) => Record<string, any>)[]} features
 * @param {Access} access
 * @param {(name: string, property: PropertyDescriptor, access: Access) => PropertyDescriptor} variant what stands in
 * the class for a property
 */
function install(prototype, features, access, variant) {
  for (const feature of features) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(feature(access)))) {
      Object.defineProperty(prototype, name, { ...variant(name, property, access), enumerable: false })
    }
  }
}

module.exports = { install }
