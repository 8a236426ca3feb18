# The video mode that the boot loader asks for (vga= on its command line), if it is one of VESA's with a linear framebuffer: set,
# and described in screen_info. Any other request leaves the text screen as it is.

    .section .setup16, "", @progbits
    .code16

    .set VID_MODE, 0x1fa                    # offsets in boot_params
    .set EDID_INFO, 0x140
    .set MODE_INFO, 0xef0                   # 256 bytes at the end that nobody uses

    .set FIRST_VESA, 0x0200                 # vid_mode of VESA's mode 0, and of what is behind its last
    .set LAST_VESA, 0x0a00

    .set LFB_WIDTH, 0x12                    # offsets in screen_info
    .set LFB_HEIGHT, 0x14
    .set LFB_DEPTH, 0x16
    .set LFB_BASE, 0x18
    .set LFB_SIZE, 0x1c
    .set LFB_LINELENGTH, 0x24
    .set COLOURS, 0x26
    .set PAGES, 0x32
    .set VESA_ATTRIBUTES, 0x34

    .set MODE_ATTRIBUTES, MODE_INFO + 0x00  # of VBE's ModeInfoBlock
    .set BYTES_PER_LINE, MODE_INFO + 0x10
    .set X_RESOLUTION, MODE_INFO + 0x12
    .set Y_RESOLUTION, MODE_INFO + 0x14
    .set BITS_PER_PIXEL, MODE_INFO + 0x19
    .set IMAGE_PAGES, MODE_INFO + 0x1d
    .set MASKS, MODE_INFO + 0x1f
    .set PHYS_BASE, MODE_INFO + 0x28

    .set VBE_SUCCESS, 0x004f
    .set LINEAR_GRAPHICS, 0x99              # supported, in colour, graphics, with a linear framebuffer
    .set LINEAR, 1 << 14
    .set VIDEO_TYPE_VLFB, 0x23

set_vesa_mode:
    movw    setup_boot_params + VID_MODE, %cx
    cmpw    $FIRST_VESA, %cx
    jb      .Lno_vesa
    cmpw    $LAST_VESA, %cx
    jae     .Lno_vesa
    subw    $FIRST_VESA, %cx
    movw    $0x4f01, %ax                    # what the mode is
    movw    $setup_boot_params + MODE_INFO, %di
    pushw   %cx
    bios    0x10
    popw    %bx
    cmpw    $VBE_SUCCESS, %ax
    jne     .Lclear_mode_info
    movw    setup_boot_params + MODE_ATTRIBUTES, %ax
    andw    $LINEAR_GRAPHICS, %ax
    cmpw    $LINEAR_GRAPHICS, %ax
    jne     .Lclear_mode_info
    movw    $0x4f02, %ax                    # set it
    orw     $LINEAR, %bx
    bios    0x10
    cmpw    $VBE_SUCCESS, %ax
    jne     .Lclear_mode_info

    movb    $VIDEO_TYPE_VLFB, setup_boot_params + ORIG_VIDEO_ISVGA
    movw    setup_boot_params + X_RESOLUTION, %ax
    movw    %ax, setup_boot_params + LFB_WIDTH
    movw    setup_boot_params + Y_RESOLUTION, %ax
    movw    %ax, setup_boot_params + LFB_HEIGHT
    movzbw  setup_boot_params + BITS_PER_PIXEL, %ax
    movw    %ax, setup_boot_params + LFB_DEPTH
    movl    setup_boot_params + PHYS_BASE, %eax
    movl    %eax, setup_boot_params + LFB_BASE
    movw    setup_boot_params + MODE_ATTRIBUTES, %ax
    movw    %ax, setup_boot_params + VESA_ATTRIBUTES
    movzbw  setup_boot_params + IMAGE_PAGES, %ax
    movw    %ax, setup_boot_params + PAGES
    movl    setup_boot_params + MASKS, %eax
    movl    %eax, setup_boot_params + COLOURS
    movl    setup_boot_params + MASKS + 4, %eax
    movl    %eax, setup_boot_params + COLOURS + 4
    movzwl  setup_boot_params + BYTES_PER_LINE, %eax
    movw    %ax, setup_boot_params + LFB_LINELENGTH
    movzwl  setup_boot_params + Y_RESOLUTION, %edx
    mull    %edx
    addl    $0xffff, %eax
    shrl    $16, %eax                       # in units of 64 KiB
    movl    %eax, setup_boot_params + LFB_SIZE

    movw    $0x4f15, %ax                    # whether the monitor can be asked
    xorw    %bx, %bx
    xorw    %cx, %cx
    xorw    %di, %di
    bios    0x10
    cmpw    $VBE_SUCCESS, %ax
    jne     .Lclear_mode_info
    movw    $0x4f15, %ax                    # its EDID
    movw    $1, %bx
    xorw    %cx, %cx
    xorw    %dx, %dx
    movw    $setup_boot_params + EDID_INFO, %di
    bios    0x10

.Lclear_mode_info:
    movw    $setup_boot_params + MODE_INFO, %di
    movw    $256 / 2, %cx
    xorw    %ax, %ax
    rep stosw
.Lno_vesa:
    ret
